"""Resource policies, as S3 and SNS meet them."""

from typing import Any

import pytest

from labs.cloud.resource_policies import ServiceAction, allows

WANTED = ServiceAction("s3.amazonaws.com", "sqs:SendMessage", "arn:aws:sqs:r:1:q", "arn:aws:s3:::b", "1")
ALLOWED: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"Service": "s3.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": "arn:aws:sqs:r:1:q",
}


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ({}, True),
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"Service": ["sns.amazonaws.com", "s3.amazonaws.com"]}}, True),
        ({"Principal": {"Service": "sns.amazonaws.com"}}, False),
        ({"Action": ["SQS:Send*"]}, True),
        ({"Action": "sqs:ReceiveMessage"}, False),
        ({"Resource": "arn:aws:sqs:*:1:q"}, True),
        ({"Resource": "arn:aws:sqs:r:1:other"}, False),
        ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:b"}}}, True),
        ({"Condition": {"ArnLike": {"AWS:SourceArn": ["arn:aws:s3:::a", "arn:aws:s3:::b"]}}}, True),
        ({"Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::c"}}}, False),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "1"}, "ArnLike": {"aws:SourceArn": "*"}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "2"}}}, False),
        ({"Condition": {"StringNotEquals": {"aws:SourceAccount": "2"}}}, True),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, False),
        ({"Effect": "Deny"}, False),
    ],
)
def test_a_statement(change: dict[str, Any], allowed: bool) -> None:
    """IAM user guide, "Policy evaluation logic"; operators of conditions."""
    assert allows({"Statement": [{**ALLOWED, **change}]}, WANTED) is allowed


def test_a_denial_wins() -> None:
    """IAM user guide, "Policy evaluation logic": an explicit deny overrides every allow; nothing said is a denial."""
    assert allows({"Statement": ALLOWED}, WANTED)
    assert not allows({"Statement": [ALLOWED, {**ALLOWED, "Effect": "Deny"}]}, WANTED)
    assert not allows(None, WANTED)
    assert not allows({"Statement": []}, WANTED)
