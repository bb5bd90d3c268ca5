"""Move files instead of byte strings: download to /tmp, upload from there, update the item field by field."""

import os
import tempfile
from urllib.parse import unquote_plus

import boto3
from PIL import Image, UnidentifiedImageError

s3 = boto3.client("s3")
dynamodb = boto3.client("dynamodb")


def handler(event, context):
    made = [each for each in map(process, event["Records"]) if each]
    return {"thumbnails": made}


def process(record):
    bucket = record["s3"]["bucket"]["name"]
    key = unquote_plus(record["s3"]["object"]["key"], encoding="utf-8")
    size = s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
    # A new name each time: /tmp outlives the invocation.
    with tempfile.TemporaryFile() as original, tempfile.TemporaryFile() as small:
        s3.download_fileobj(bucket, key, original)
        original.seek(0)
        try:
            with Image.open(original) as picture:
                width, height = picture.size
                shrink(picture).save(small, "JPEG", quality=90)
        except UnidentifiedImageError:
            print(f"{key} holds no picture")
            return None
        small.seek(0)
        s3.upload_fileobj(small, os.environ["THUMBNAILS"], key, ExtraArgs={"ContentType": "image/jpeg"})
    note(key, width, height, size)
    return key


def shrink(picture):
    factor = 128 / max(picture.size)
    width, height = (max(1, round(side * factor)) for side in picture.size)
    return picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)


def note(key, width, height, size):
    dynamodb.update_item(
        TableName=os.environ["METADATA"],
        Key={"key": {"S": key}},
        # "size" is a reserved word of DynamoDB's expressions, hence the placeholder.
        UpdateExpression="SET width = :w, height = :h, #size = :s, thumbnail = :t",
        ExpressionAttributeNames={"#size": "size"},
        ExpressionAttributeValues={
            ":w": {"N": str(width)},
            ":h": {"N": str(height)},
            ":s": {"N": str(size)},
            ":t": {"S": key},
        },
    )
