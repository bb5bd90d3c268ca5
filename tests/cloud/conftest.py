"""Clouds, and small functions to run in them."""

import io
import json
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from labs.cloud import Cloud, CloudHost, Stack
from labs.cloud.packing import pack_source

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: f
      Handler: handler.handler
      Runtime: python3.12
      CodeUri: .
      Timeout: {timeout}
      MemorySize: {memory}
      Policies: AdministratorAccess
"""

PROJECT = Path(__file__).resolve().parents[2]
LAB01 = PROJECT / "labs" / "lab01_thumbnail"


@dataclass(frozen=True)
class Answer:
    """What a synchronous caller got."""

    payload: object
    error: str | None
    log: str


class Bench:
    """One cloud with one function `f`."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def deploy(self, source: str, *, timeout: int = 10, memory: int = 256) -> Stack:
        """Make `source` the code of `f`."""
        package = pack_source(textwrap.dedent(source))
        return self.cloud.deploy_package(TEMPLATE.format(timeout=timeout, memory=memory), package, name="bench")

    def invoke(self, event: object = None) -> Answer:
        """Invoke `f` and wait."""
        import base64

        answer = self.cloud.call("lambda", "Invoke", FunctionName="f", Payload=json.dumps(event).encode(), LogType="Tail")
        payload, log = answer["Payload"], str(answer.get("LogResult", ""))
        assert isinstance(payload, bytes)
        error = answer.get("FunctionError")
        return Answer(json.loads(payload), str(error) if error else None, base64.b64decode(log).decode())


@pytest.fixture
def cloud(host: CloudHost) -> Iterator[Cloud]:
    """Give an instant cloud."""
    with Cloud(seed=7, host=host) as one:
        yield one


@pytest.fixture
def bench(cloud: Cloud) -> Bench:
    """Give an instant cloud for functions written in a test."""
    return Bench(cloud)


@pytest.fixture
def picture() -> Callable[..., bytes]:
    """Give a maker of pictures."""
    from PIL import Image

    def make(colour: tuple[int, int, int] = (200, 30, 30), size: tuple[int, int] = (640, 480)) -> bytes:
        buffer = io.BytesIO()
        Image.new("RGB", size, colour).save(buffer, "PNG")
        return buffer.getvalue()

    return make
