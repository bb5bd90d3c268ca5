"""Stacks with topics, subscriptions and policies: what CloudFormation documents and moto lacks."""

import json
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parser.models import S3Model, SnsModel, SqsModel

from labs.cloud import Cloud, CloudError, Kind
from labs.cloud.packing import pack_source
from tests.cloud.test_s3_notifications import received

HEAD = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
"""

FUNCTION = (
    HEAD
    + """
Resources:
  Orders:
    Type: AWS::SNS::Topic
  Handle:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: f
      Handler: handler.handler
      Runtime: python3.12
      CodeUri: .
      Events:
        Placed:
          Type: SNS
          Properties:
            Topic: !Ref Orders
            {more}
Outputs:
  Topic:
    Value: !GetAtt Orders.TopicArn
"""
)

# A bucket tells a topic, the topic tells two queues, each with its policy.
CHAIN = (
    HEAD
    + """
Resources:
  Photos:
    Type: AWS::S3::Bucket
    DependsOn: TopicAllowsBucket
    Properties:
      BucketName: photos-1
      NotificationConfiguration:
        TopicConfigurations:
          - Event: s3:ObjectCreated:*
            Topic: !Ref Uploads
            Filter:
              S3Key:
                Rules:
                  - Name: suffix
                    Value: .jpg
        QueueConfigurations:
          - Event: s3:ObjectRemoved:*
            Queue: !GetAtt All.Arn
  PhotosPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Photos
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: "*"
            Action: s3:GetObject
            Resource: !Sub arn:aws:s3:::${Photos}/*
  Uploads:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: uploads
  TopicAllowsBucket:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Uploads]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: s3.amazonaws.com}
            Action: sns:Publish
            Resource: !Ref Uploads
            Condition: {ArnLike: {"aws:SourceArn": "arn:aws:s3:::photos-1"}}
  All:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: all
  Raw:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: raw
  QueuesAllow:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref All, !Ref Raw]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: [sns.amazonaws.com, s3.amazonaws.com]}
            Action: sqs:SendMessage
            Resource: "*"
  ToAll:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: !Ref Uploads
      Protocol: sqs
      Endpoint: !GetAtt All.Arn
  ToRaw:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: !Ref Uploads
      Protocol: sqs
      Endpoint: !GetAtt Raw.Arn
      RawMessageDelivery: true
      RAWFILTER
Outputs:
  All:
    Value: !Ref All
  Raw:
    Value: !Ref Raw
  Topic:
    Value: !Ref Uploads
  Subscription:
    Value: !Ref ToRaw
"""
)
ECHO = "import json\ndef handler(event, context):\n    print(json.dumps(event))\n"


def deploy(cloud: Cloud, template: str) -> Any:
    """Deploy a template."""
    return cloud.deploy_package(template, pack_source(ECHO), name="messaging")


def logged(cloud: Cloud) -> list[dict[str, Any]]:
    """Give the events that the function printed."""
    return [json.loads(str(record.detail["message"])) for record in cloud.trace.of(Kind.LOG_LINE)]


def test_a_function_with_an_sns_event(cloud: Cloud) -> None:
    """SAM developer guide, "SNS": the topic invokes the function; a filter policy is the subscription's."""
    stack = deploy(cloud, FUNCTION.replace("{more}", "FilterPolicy: {n: [{numeric: ['>', 9]}], colour: [red]}"))
    for number, colour in ((5, "red"), (10, "red"), (11, "blue")):
        attributes = {
            "n": {"DataType": "Number", "StringValue": str(number)},
            "colour": {"DataType": "String", "StringValue": colour},
        }
        cloud.call(
            "sns", "Publish", TopicArn=stack.outputs["Topic"], Message=f"{number} {colour}", MessageAttributes=attributes
        )
    cloud.run()
    (event,) = logged(cloud)
    SnsModel.model_validate(event)
    assert event["Records"][0]["Sns"]["Message"] == "10 red"


def test_a_function_with_an_sns_event_by_way_of_a_queue(cloud: Cloud) -> None:
    """SAM developer guide, "SNS", SqsSubscription: SAM makes the queue, its policy, the subscription and the mapping."""
    stack = deploy(cloud, FUNCTION.replace("{more}", "SqsSubscription: true"))
    sent = cloud.call("sns", "Publish", TopicArn=stack.outputs["Topic"], Message="m")["MessageId"]
    cloud.run()
    (event,) = logged(cloud)
    SqsModel.model_validate(event)
    assert json.loads(event["Records"][0]["body"])["MessageId"] == sent


def test_a_bucket_a_topic_and_two_queues(cloud: Cloud) -> None:
    """CloudFormation user guide: AWS::SNS::Subscription, AWS::SNS::TopicPolicy, AWS::SQS::QueuePolicy, AWS::S3::BucketPolicy."""
    stack = deploy(cloud, CHAIN.replace("RAWFILTER", ""))
    cloud.run()
    for name in ("All", "Raw"):
        received(cloud, stack.outputs[name])
    for key in ("a.jpg", "a.png"):
        cloud.call("s3", "PutObject", Bucket="photos-1", Key=key, Body=b"1")
    cloud.run()
    ((wrapped,), (raw,)) = (received(cloud, stack.outputs[name]) for name in ("All", "Raw"))
    assert json.loads(json.loads(wrapped["Body"])["Message"]) == json.loads(raw["Body"])
    S3Model.model_validate(json.loads(raw["Body"]))
    cloud.call("s3", "DeleteObject", Bucket="photos-1", Key="a.jpg")
    cloud.run()
    (removed,) = received(cloud, stack.outputs["All"])
    assert json.loads(removed["Body"])["Records"][0]["eventName"] == "ObjectRemoved:Delete"
    policy = str(cloud.call("s3", "GetBucketPolicy", Bucket="photos-1")["Policy"])
    assert json.loads(policy)["Statement"][0]["Resource"] == "arn:aws:s3:::photos-1/*"


def test_an_update_changes_the_subscription_in_place(cloud: Cloud) -> None:
    """CloudFormation user guide, AWS::SNS::Subscription: a filter policy is updated without interruption."""
    stack = deploy(cloud, CHAIN.replace("RAWFILTER", ""))
    first = stack.outputs["Subscription"]
    policy = 'FilterPolicyScope: MessageBody\n      FilterPolicy: {"order": {"n": [{"numeric": [">=", 10]}]}}'
    again = deploy(cloud, CHAIN.replace("RAWFILTER", policy))
    assert again.outputs["Subscription"] == first
    cloud.run()
    received(cloud, stack.outputs["Raw"])
    for number in (9, 10):
        cloud.call("sns", "Publish", TopicArn=stack.outputs["Topic"], Message=json.dumps({"order": {"n": number}}))
    cloud.run()
    assert [json.loads(one["Body"])["order"]["n"] for one in received(cloud, stack.outputs["Raw"])] == [10]
    deploy(cloud, CHAIN.replace("RAWFILTER", ""))
    cloud.call("sns", "Publish", TopicArn=stack.outputs["Topic"], Message="anything")
    cloud.run()
    assert len(received(cloud, stack.outputs["Raw"])) == 1, "without a policy in the template there is none"


def test_deleting_the_stack_takes_everything_away(cloud: Cloud) -> None:
    """CloudFormation user guide: DeleteStack deletes what the stack made."""
    deploy(cloud, CHAIN.replace("RAWFILTER", ""))
    cloud.call("cloudformation", "DeleteStack", StackName="messaging")
    assert cloud.call("sns", "ListTopics").get("Topics", []) == []
    assert cloud.call("sns", "ListSubscriptions").get("Subscriptions", []) == []
    assert cloud.call("sqs", "ListQueues").get("QueueUrls", []) == []
    with pytest.raises(CloudError):
        cloud.call("s3", "HeadBucket", Bucket="photos-1")
