"""Belief: an event holds one record, so the first is all there is."""

import io
import os
from urllib.parse import unquote_plus

import boto3
from PIL import Image, UnidentifiedImageError

s3 = boto3.client("s3")
table = boto3.resource("dynamodb").Table(os.environ["METADATA"])


def handler(event, context):
    record = event["Records"][0]
    bucket = record["s3"]["bucket"]["name"]
    key = unquote_plus(record["s3"]["object"]["key"])
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        picture = Image.open(io.BytesIO(body))
    except UnidentifiedImageError:
        return
    width, height = picture.size
    picture.thumbnail((128, 128))
    out = io.BytesIO()
    picture.save(out, "PNG")
    s3.put_object(Bucket=os.environ["THUMBNAILS"], Key=key, Body=out.getvalue())
    table.put_item(Item={"key": key, "width": width, "height": height, "size": len(body), "thumbnail": key})
