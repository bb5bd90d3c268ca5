"""Belief: a function that catches every exception is a robust function."""

import io
import os
from urllib.parse import unquote_plus

import boto3
from PIL import Image

s3 = boto3.client("s3")
table = boto3.resource("dynamodb").Table(os.environ["METADATA"])


def handler(event, context):
    for record in event["Records"]:
        try:
            process(record)
        except Exception as error:
            print("ignored:", error)
    return {"ok": True}


def process(record):
    bucket = record["s3"]["bucket"]["name"]
    key = unquote_plus(record["s3"]["object"]["key"])
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    picture = Image.open(io.BytesIO(body))
    width, height = picture.size
    picture.thumbnail((128, 128))
    out = io.BytesIO()
    picture.save(out, "PNG")
    s3.put_object(Bucket=os.environ["THUMBNAILS"], Key=key, Body=out.getvalue())
    table.put_item(Item={"key": key, "width": width, "height": height, "size": len(body), "thumbnail": key})
