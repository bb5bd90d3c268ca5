"""Belief: another folder of the same bucket is another place, so the trigger will not see it."""

import io
import os
from urllib.parse import unquote_plus

import boto3
from PIL import Image, UnidentifiedImageError

s3 = boto3.client("s3")
table = boto3.resource("dynamodb").Table(os.environ["METADATA"])


def handler(event, context):
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = unquote_plus(record["s3"]["object"]["key"])
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        try:
            picture = Image.open(io.BytesIO(body))
        except UnidentifiedImageError:
            continue
        width, height = picture.size
        picture.thumbnail((128, 128))
        out = io.BytesIO()
        picture.save(out, "PNG")
        small = "thumbnails/" + key
        s3.put_object(Bucket=bucket, Key=small, Body=out.getvalue())
        table.put_item(Item={"key": key, "width": width, "height": height, "size": len(body), "thumbnail": small})
