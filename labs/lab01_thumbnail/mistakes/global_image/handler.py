"""Belief: every invocation starts with fresh globals, so a global may hold this event's picture."""

import io
import os
from urllib.parse import unquote_plus

import boto3
from PIL import Image, UnidentifiedImageError

s3 = boto3.client("s3")
table = boto3.resource("dynamodb").Table(os.environ["METADATA"])
body = None


def load(bucket, key):
    """Fetch the picture once, however often it is needed."""
    global body
    if body is None:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def handler(event, context):
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = unquote_plus(record["s3"]["object"]["key"])
        try:
            picture = Image.open(io.BytesIO(load(bucket, key)))
        except UnidentifiedImageError:
            continue
        width, height = picture.size
        picture.thumbnail((128, 128))
        out = io.BytesIO()
        picture.save(out, "PNG")
        s3.put_object(Bucket=os.environ["THUMBNAILS"], Key=key, Body=out.getvalue())
        size = len(load(bucket, key))
        table.put_item(Item={"key": key, "width": width, "height": height, "size": size, "thumbnail": key})
