"""What a SAM template wires together: its resources, and who calls, reads and writes whom. Nothing is deployed for this."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import yaml


class Shape(StrEnum):
    """What kind of thing a node is."""

    FUNCTION = "function"
    BUCKET = "bucket"
    TABLE = "table"
    QUEUE = "queue"
    TOPIC = "topic"
    API = "api"
    SCHEDULE = "schedule"
    RULE = "rule"
    STATES = "states"
    STREAM = "stream"


class Link(StrEnum):
    """What an edge means: `calls` carries the event as its label, the others are what a function does with a resource."""

    CALLS = "calls"
    READ = "read"
    WRITE = "write"
    BOTH = "both"
    USES = "uses"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Node:
    """A resource: its logical id, what it is, and what to write on it."""

    id: str
    shape: Shape
    label: str


@dataclass(frozen=True, slots=True)
class Edge:
    """A connection from one node to another. `label` is raw (`s3:ObjectCreated:*`) or the name of a text (`@messages`)."""

    source: str
    target: str
    link: Link
    label: str = ""


@dataclass(frozen=True, slots=True)
class Architecture:
    """Everything that a diagram shows."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


SHAPES = {
    "AWS::Serverless::Function": Shape.FUNCTION,
    "AWS::Lambda::Function": Shape.FUNCTION,
    "AWS::S3::Bucket": Shape.BUCKET,
    "AWS::DynamoDB::Table": Shape.TABLE,
    "AWS::Serverless::SimpleTable": Shape.TABLE,
    "AWS::SQS::Queue": Shape.QUEUE,
    "AWS::SNS::Topic": Shape.TOPIC,
    "AWS::Serverless::Api": Shape.API,
    "AWS::Serverless::HttpApi": Shape.API,
    "AWS::Events::Rule": Shape.RULE,
    "AWS::Scheduler::Schedule": Shape.SCHEDULE,
    "AWS::Serverless::StateMachine": Shape.STATES,
    "AWS::StepFunctions::StateMachine": Shape.STATES,
    "AWS::Kinesis::Stream": Shape.STREAM,
}
NAMES = ("BucketName", "TableName", "QueueName", "TopicName", "FunctionName", "Name")
_READS = re.compile(r"^(Get|List|Query|Scan|BatchGet|Receive|Describe|Head|\*)|Read|Poller", re.IGNORECASE)
_WRITES = re.compile(r"^(Put|Update|Delete|BatchWrite|Start|\*)|Write|Send|Publish|Invoke|Crud|FullAccess", re.IGNORECASE)
_CRUD = re.compile(r"Crud|FullAccess|^\*")


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags: `!Ref X` reads as {"Ref": "X"}, `!Sub s` as {"Fn::Sub": s}."""


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, object]:
    value: object
    if isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = node.value
    return {"Ref" if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)


def read_architecture(template: Path) -> Architecture:
    """Read the nodes and edges of a SAM template."""
    # The loader extends yaml.SafeLoader: only plain values and intrinsic functions come out of it.
    document = yaml.load(template.read_text(encoding="utf-8"), Loader=_Loader)
    return _Reader(_table(_table(document).get("Resources"))).read()


class _Reader:
    def __init__(self, resources: Mapping[str, object]) -> None:
        self.resources = {name: _table(resource) for name, resource in resources.items()}
        self.nodes: dict[str, Node] = {}
        self.edges: dict[tuple[str, str, str], Edge] = {}
        self.names: dict[str, str] = {}

    def read(self) -> Architecture:
        for name, resource in self.resources.items():
            if shape := SHAPES.get(str(resource.get("Type"))):
                self.nodes[name] = Node(name, shape, name)
                properties = _table(resource.get("Properties"))
                self.names[name] = next((_text(properties[key]) for key in NAMES if key in properties), "")
        for name, resource in self.resources.items():
            properties = _table(resource.get("Properties"))
            kind = str(resource.get("Type")).rpartition("::")[2]
            if name in self.nodes and self.nodes[name].shape is Shape.FUNCTION:
                self.function(name, properties)
            elif kind == "Bucket":
                self.bucket(name, properties)
            elif kind == "Queue":
                self.queue(name, properties)
            elif kind == "EventSourceMapping":
                self.connect(properties.get("EventSourceArn"), properties.get("FunctionName"), self.label_of(properties))
            elif kind == "Subscription":
                self.connect(properties.get("TopicArn"), properties.get("Endpoint"), "@published")
            elif kind == "Rule":
                for target in _list(properties.get("Targets")):
                    self.connect({"Ref": name}, _table(target).get("Arn"), _text(properties.get("ScheduleExpression", "")))
        return Architecture(tuple(self.nodes.values()), tuple(self.edges.values()))

    def function(self, name: str, properties: Mapping[str, object]) -> None:
        for event, value in _table(properties.get("Events")).items():
            self.event(name, event, str(_table(value).get("Type")), _table(_table(value).get("Properties")))
        access: dict[str, set[Link]] = {}
        for policy in _list(properties.get("Policies")):
            for target, kind in self.policy(_table(policy)):
                access.setdefault(target, set()).update(kind)
        variables = _table(_table(properties.get("Environment")).get("Variables"))
        for value in variables.values():
            for target in self.mentioned(value):
                access.setdefault(target, set())
        for target, kinds in access.items():
            if target != name:
                link = Link.BOTH if len(kinds) == 2 else next(iter(kinds), Link.USES)
                self.add(Edge(name, target, link))
        dead = _table(properties.get("DeadLetterQueue")).get("TargetArn")
        config = _table(_table(properties.get("EventInvokeConfig")).get("DestinationConfig"))
        for destination in (dead, _table(config.get("OnFailure")).get("Destination")):
            for target in self.mentioned(destination):
                self.add(Edge(name, target, Link.FAILED))

    def event(self, function: str, event: str, kind: str, properties: Mapping[str, object]) -> None:
        source: object = next((properties[key] for key in ("Bucket", "Queue", "Topic", "Stream") if key in properties), None)
        if kind in ("Api", "HttpApi"):
            given = self.mentioned(properties.get("RestApiId", properties.get("ApiId")))
            implicit = "ServerlessHttpApi" if kind == "HttpApi" else "ServerlessRestApi"
            api = given[0] if given else self.synthetic(implicit, Shape.API)
            label = f"{_text(properties.get('Method', 'any')).upper()} {_text(properties.get('Path', '/'))}"
            self.add(Edge(api, function, Link.CALLS, label))
        elif kind in ("Schedule", "ScheduleV2"):
            label = _text(properties.get("Schedule", properties.get("ScheduleExpression", "")))
            self.add(Edge(self.synthetic(event, Shape.SCHEDULE), function, Link.CALLS, label))
        elif kind in ("EventBridgeRule", "CloudWatchEvent"):
            self.add(Edge(self.synthetic(event, Shape.RULE), function, Link.CALLS))
        elif kind == "S3":
            self.connect(source, {"Ref": function}, ", ".join(_text(each) for each in _list(properties.get("Events"))))
        else:
            labels = {"SQS": "@messages", "SNS": "@published", "DynamoDB": "@changes", "Kinesis": "@changes"}
            self.connect(source, {"Ref": function}, labels.get(kind, kind))

    def bucket(self, name: str, properties: Mapping[str, object]) -> None:
        notifications = _table(properties.get("NotificationConfiguration"))
        for key, target in (("Lambda", "Function"), ("Queue", "Queue"), ("Topic", "Topic")):
            for each in _list(notifications.get(f"{key}Configurations")):
                self.connect({"Ref": name}, _table(each).get(target), _text(_table(each).get("Event", "")))

    def queue(self, name: str, properties: Mapping[str, object]) -> None:
        redrive = _table(properties.get("RedrivePolicy"))
        for target in self.mentioned(redrive.get("deadLetterTargetArn")):
            self.add(Edge(name, target, Link.FAILED, _text(redrive.get("maxReceiveCount", ""))))

    def policy(self, policy: Mapping[str, object]) -> Iterator[tuple[str, set[Link]]]:
        """Yield what a policy lets a function do, from SAM's policy templates or from IAM statements."""
        for statement in _list(policy.get("Statement")):
            actions = [_text(each).rpartition(":")[2] for each in _list(_table(statement).get("Action"))]
            for target in self.mentioned(_table(statement).get("Resource")):
                yield target, {link for action in actions for link in _access(action)}
        for name, parameters in policy.items():
            if name.endswith(("Policy", "Access")) and isinstance(parameters, Mapping):
                for target in self.mentioned(parameters):
                    yield target, _access(name)

    def label_of(self, mapping: Mapping[str, object]) -> str:
        sources = self.mentioned(mapping.get("EventSourceArn"))
        return "@messages" if sources and self.nodes[sources[0]].shape is Shape.QUEUE else "@changes"

    def connect(self, source: object, target: object, label: str) -> None:
        for one in self.mentioned(source):
            for other in self.mentioned(target):
                self.add(Edge(one, other, Link.CALLS, label))

    def add(self, edge: Edge) -> None:
        self.edges.setdefault((edge.source, edge.target, f"{edge.link}{edge.label}"), edge)

    def synthetic(self, name: str, shape: Shape) -> str:
        self.nodes.setdefault(name, Node(name, shape, "" if shape is Shape.API else name))
        return name

    def mentioned(self, value: object) -> list[str]:
        """List the nodes that a value refers to, by reference or by their name spelled out."""
        text = _text(value)
        found = []
        for name in self.nodes:
            own = self.names.get(name, "")
            by_name = own and re.search(rf"(^|[:/\s]){re.escape(own)}($|[/*\s])", text)
            if re.search(rf"\$\{{{re.escape(name)}[.}}]", text) or by_name:
                found.append(name)
        return found


def _access(action: str) -> set[Link]:
    if _CRUD.search(action):
        return {Link.READ, Link.WRITE}
    return ({Link.READ} if _READS.search(action) else set()) | ({Link.WRITE} if _WRITES.search(action) else set())


def _text(value: object) -> str:
    """Write a value as one string in which `${X}` and `${X.Arn}` stand for references."""
    if isinstance(value, Mapping):
        if "Ref" in value:
            return f"${{{value['Ref']}}}"
        if "Fn::GetAtt" in value:
            parts = value["Fn::GetAtt"]
            return f"${{{parts if isinstance(parts, str) else '.'.join(str(part) for part in parts)}}}"
        return " ".join(_text(each) for each in value.values())
    if isinstance(value, list):
        return " ".join(_text(each) for each in value)
    return "" if value is None else str(value)


def _table(value: object) -> dict[str, object]:
    return {str(key): each for key, each in value.items()} if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]
