"""The architecture of a template, as DOT and as a sentence."""

import re
from pathlib import Path

import pytest

from lessons.parts.diagram import LINE, LOOKS, alt_text, architecture
from lessons.parts.sentences import LANGUAGES, sentences
from lessons.parts.template import Edge, Link, Node, Shape, read_architecture

THUMBNAIL = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Photos:
    Type: AWS::S3::Bucket
    Properties: {BucketName: !Sub "photos-${AWS::AccountId}"}
  Thumbnails: {Type: AWS::S3::Bucket}
  Metadata:
    Type: AWS::DynamoDB::Table
    Properties: {TableName: photo-metadata}
  Role: {Type: AWS::IAM::Role}
  MakeThumbnail:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: thumbnail
      Environment: {Variables: {THUMBNAILS: !Ref Thumbnails, METADATA: !Ref Metadata, MODE: fast}}
      Policies:
        - AWSLambdaBasicExecutionRole
        - S3WritePolicy: {BucketName: !Ref Thumbnails}
        - DynamoDBCrudPolicy: {TableName: !Ref Metadata}
        - Statement:
            - {Effect: Allow, Action: s3:GetObject, Resource: !Sub "arn:aws:s3:::photos-${AWS::AccountId}/*"}
      Events:
        Upload: {Type: S3, Properties: {Bucket: !Ref Photos, Events: s3:ObjectCreated:*}}
Outputs:
  Photos: {Value: !Ref Photos}
"""

ORDERS = """\
Resources:
  Orders: {Type: AWS::SQS::Queue, Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}}}
  Dead: {Type: AWS::SQS::Queue}
  News: {Type: AWS::SNS::Topic}
  Rows: {Type: AWS::Serverless::SimpleTable}
  Lost: {Type: AWS::SQS::Queue}
  Take:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [{SQSSendMessagePolicy: {QueueName: !GetAtt Orders.QueueName}}]
      EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt [Lost, Arn]}}}
      Events: {Order: {Type: HttpApi, Properties: {Method: post, Path: /orders}}}
  Work:
    Type: AWS::Serverless::Function
    Properties:
      Environment: {Variables: {TOPIC: {Ref: News}}}
      Events:
        Batch: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn}}
        Rows: {Type: DynamoDB, Properties: {Stream: {"Fn::GetAtt": [Rows, StreamArn]}}}
        Nightly: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
"""


@pytest.fixture
def thumbnail(tmp_path: Path) -> Path:
    """Write the template of a lab: an upload calls a function that writes a thumbnail and a row."""
    path = tmp_path / "template.yaml"
    path.write_text(THUMBNAIL)
    return path


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """Write a template with most of what can call a function."""
    path = tmp_path / "orders.yaml"
    path.write_text(ORDERS)
    return path


def test_reads_triggers_and_what_a_function_may_do(thumbnail: Path) -> None:
    """The trigger comes from the events, reading and writing from the policies, by reference or by name."""
    stack = read_architecture(thumbnail)
    assert stack.nodes == (
        Node("Photos", Shape.BUCKET, "Photos"),
        Node("Thumbnails", Shape.BUCKET, "Thumbnails"),
        Node("Metadata", Shape.TABLE, "Metadata"),
        Node("MakeThumbnail", Shape.FUNCTION, "MakeThumbnail"),
    )
    assert set(stack.edges) == {
        Edge("Photos", "MakeThumbnail", Link.CALLS, "s3:ObjectCreated:*"),
        Edge("MakeThumbnail", "Photos", Link.READ),
        Edge("MakeThumbnail", "Thumbnails", Link.WRITE),
        Edge("MakeThumbnail", "Metadata", Link.BOTH),
    }


def test_reads_every_kind_of_caller(orders: Path) -> None:
    """Queues, streams, schedules and APIs call functions; implicit ones get a node of their own."""
    assert set(read_architecture(orders).edges) == {
        Edge("Orders", "Dead", Link.FAILED, "3"),
        Edge("ServerlessHttpApi", "Take", Link.CALLS, "POST /orders"),
        Edge("Take", "Orders", Link.WRITE),
        Edge("Take", "Lost", Link.FAILED),
        Edge("Orders", "Work", Link.CALLS, "@messages"),
        Edge("Rows", "Work", Link.CALLS, "@changes"),
        Edge("Nightly", "Work", Link.CALLS, "rate(1 day)"),
        Edge("Work", "News", Link.USES),
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_draws_dot(thumbnail: Path, language: str) -> None:
    """The source names every resource with its type, on a transparent ground, and leads to the right."""
    text = sentences(language)
    source = architecture(thumbnail, language)
    assert source.startswith("digraph")
    assert "bgcolor=transparent" in source
    assert f"Photos\n{text['diagram.bucket']}" in source
    assert re.search(r"Photos -> MakeThumbnail .*s3:ObjectCreated:\*.*style=solid", source)
    assert re.search(rf"MakeThumbnail -> Photos .*>{text['diagram.read']}<.*constraint=false style=dashed", source)
    assert re.search(rf"MakeThumbnail -> Thumbnails .*>{text['diagram.write']}<", source)


def test_says_the_same_in_words(thumbnail: Path, orders: Path, tmp_path: Path) -> None:
    """Who cannot see the picture hears the same."""
    assert alt_text(thumbnail, "en") == (
        "Events of the S3 bucket Photos (s3:ObjectCreated:*) call the function MakeThumbnail. "
        "The function MakeThumbnail reads from the S3 bucket Photos and the DynamoDB table Metadata "
        "and writes to the S3 bucket Thumbnails and the DynamoDB table Metadata."
    )
    assert alt_text(thumbnail, "ko").startswith("Photos S3 버킷의 s3:ObjectCreated:* 이벤트가 MakeThumbnail 함수를 호출해요.")
    assert "The function Take writes to the SQS queue Orders." in alt_text(orders, "en")
    nothing = tmp_path / "empty.yaml"
    nothing.write_text("Resources: {}\n")
    assert alt_text(nothing, "en") == "This template has no resources to draw."
    assert architecture(nothing, "en").startswith("digraph")


def test_a_name_is_not_markup(tmp_path: Path) -> None:
    """What a template contains is text in the picture."""
    template = tmp_path / "odd.yaml"
    template.write_text(THUMBNAIL.replace("s3:ObjectCreated:*", "<b>&x"))
    assert "&lt;b&gt;&amp;x" in architecture(template, "en")


def test_a_template_cannot_run_code(tmp_path: Path) -> None:
    """Tags of Python are read as data, not obeyed."""
    template = tmp_path / "evil.yaml"
    template.write_text("Resources: !!python/object/apply:os.system ['true']\n")
    with pytest.raises(Exception, match="could not determine a constructor"):
        read_architecture(template)


@pytest.mark.parametrize("shape", Shape)
def test_every_shape_can_be_drawn(shape: Shape) -> None:
    """Each kind of resource has a look and a name in both languages."""
    assert shape in LOOKS
    for language in LANGUAGES:
        assert sentences(language)[f"diagram.{shape}"]


def test_lines_show_on_light_and_dark() -> None:
    """The grey of the lines is neither too light nor too dark for either page."""
    channels = [int(LINE[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (((each + 0.055) / 1.055) ** 2.4 for each in channels)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    assert 1.05 / (luminance + 0.05) >= 3
    assert (luminance + 0.05) / 0.06 >= 3
