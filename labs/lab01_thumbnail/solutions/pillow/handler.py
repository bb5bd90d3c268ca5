"""Read the picture into memory, write the thumbnail with put_object and the facts with a table resource."""

import io
import os
from urllib.parse import unquote_plus

import boto3
from PIL import Image, UnidentifiedImageError

LONGEST_SIDE = 128

s3 = boto3.client("s3")
table = boto3.resource("dynamodb").Table(os.environ["METADATA"])
thumbnails = os.environ["THUMBNAILS"]


def handler(event, context):
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = unquote_plus(record["s3"]["object"]["key"])
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        try:
            picture = Image.open(io.BytesIO(body))
        except UnidentifiedImageError:
            # Trying again would not turn this object into a picture, so it is no reason to fail.
            print("not a picture:", key)
            continue
        make_thumbnail(key, body, picture)


def make_thumbnail(key, body, picture):
    # thumbnail() changes the picture itself: note its size first.
    width, height = picture.size
    file_format = "JPEG" if picture.format == "JPEG" else "PNG"
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    out = io.BytesIO()
    picture.save(out, file_format)
    s3.put_object(Bucket=thumbnails, Key=key, Body=out.getvalue(), ContentType=Image.MIME[file_format])
    table.put_item(Item={"key": key, "width": width, "height": height, "size": len(body), "thumbnail": key})
