"""A thumbnail, and a row of facts, for every picture that is uploaded."""

import json
import os

import boto3

# Runs once, when the execution environment starts.
s3 = boto3.client("s3")
table = boto3.resource("dynamodb").Table(os.environ["METADATA"])
thumbnails = os.environ["THUMBNAILS"]


def handler(event, context):
    """Runs once per event. Nothing in this file calls it."""
    # What S3 sent. Upload a picture and read this line in the log.
    print(json.dumps(event))

    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        # TODO 1. Fetch the picture, shrink it with Pillow, write it to the bucket `thumbnails`.
        # TODO 2. Put an item with key, width, height, size and thumbnail into `table`.
        print("a new object in", bucket)
