"""Belief: the thumbnail is the whole job; its facts can be read from the bucket later."""

import io
import os
from urllib.parse import unquote_plus

import boto3
from PIL import Image, UnidentifiedImageError

s3 = boto3.client("s3")


def handler(event, context):
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = unquote_plus(record["s3"]["object"]["key"])
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        try:
            picture = Image.open(io.BytesIO(body))
        except UnidentifiedImageError:
            continue
        picture.thumbnail((128, 128))
        out = io.BytesIO()
        picture.save(out, "PNG")
        facts = {"width": str(picture.width), "height": str(picture.height)}
        s3.put_object(Bucket=os.environ["THUMBNAILS"], Key=key, Body=out.getvalue(), Metadata=facts)
