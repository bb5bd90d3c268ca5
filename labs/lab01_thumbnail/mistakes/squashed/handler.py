"""Belief: resize((128, 128)) keeps the picture's shape."""

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
        out = io.BytesIO()
        picture.resize((128, 128)).save(out, "PNG")
        s3.put_object(Bucket=os.environ["THUMBNAILS"], Key=key, Body=out.getvalue())
        item = {"key": key, "width": picture.width, "height": picture.height, "size": len(body), "thumbnail": key}
        table.put_item(Item=item)
