"""Read a CloudFormation template, and find what AWS would not take in it, in AWS's own words."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml
from samtranslator.yaml_helper import yaml_parse

Template = dict[str, Any]
_SUB = re.compile(r"\$\{([^!][^}]*)\}")


class TemplateError(Exception):
    """A template that AWS refuses; the message is AWS's own."""


def parsed(text: str) -> Template:
    """Read a template in YAML or JSON. Raises TemplateError."""
    try:
        document = yaml_parse(text)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark is not None else ""
        raise TemplateError(f"Template format error: YAML not well-formed.{where}") from error
    if not isinstance(document, dict):
        raise TemplateError("Template format error: unsupported structure.")
    resources = document.get("Resources")
    if not isinstance(resources, dict) or not resources:
        raise TemplateError("Template format error: At least one Resources member must be defined.")
    for logical_id, resource in resources.items():
        if not isinstance(resource, dict):
            raise TemplateError(f"Template format error: [/Resources/{logical_id}] resource definition is malformed")
        if not isinstance(resource.get("Type"), str):
            raise TemplateError(
                f"Template format error: [/Resources/{logical_id}] Every Resources object must contain a Type member."
            )
    return document


def check(document: Template, supported: Callable[[str], bool]) -> None:
    """Check types, references and cycles of a template without transforms. Raises TemplateError."""
    resources = document["Resources"]
    unknown = {logical_id: one["Type"] for logical_id, one in resources.items() if not supported(one["Type"])}
    if unknown:
        types, ids = ", ".join(dict.fromkeys(unknown.values())), ", ".join(unknown)
        raise TemplateError(f"Template format error: Unrecognized resource types: [{types}] (resources: [{ids}])")
    known = resources.keys() | (document.get("Parameters") or {}).keys()
    depends: dict[str, set[str]] = {}
    for logical_id, resource in resources.items():
        found = set(_references(resource))
        explicit = resource.get("DependsOn") or ()
        found |= {("Ref", name) for name in ([explicit] if isinstance(explicit, str) else explicit)}
        _refuse_unknown(found, known, "Resources")
        depends[logical_id] = {name for _, name in found if name in resources}
    _refuse_unknown(set(_references(document.get("Outputs") or {})), known, "Outputs")
    circle = _circle(depends)
    if circle:
        raise TemplateError(f"Circular dependency between resources: [{', '.join(circle)}]")


def _refuse_unknown(found: set[tuple[str, str]], known: set[str], block: str) -> None:
    for kind, name in sorted(found):
        if name in known or name.startswith("AWS::"):
            continue
        if kind == "GetAtt":
            raise TemplateError(f"Template error: instance of Fn::GetAtt references undefined resource {name}")
        raise TemplateError(
            f"Template format error: Unresolved resource dependencies [{name}] in the {block} block of the template"
        )


def _references(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, list):
        for inner in node:
            yield from _references(inner)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name == "Ref" and isinstance(value, str) and len(node) == 1:
                yield "Ref", value
            elif name == "Fn::GetAtt":
                yield "GetAtt", str(value[0] if isinstance(value, list) else value).partition(".")[0]
            elif name == "Fn::Sub":
                yield from _substituted(value)
            else:
                yield from _references(value)


def _substituted(value: Any) -> Iterator[tuple[str, str]]:
    text, own = (value[0], value[1]) if isinstance(value, list) else (value, {})
    yield from _references(list(own.values()) if isinstance(own, Mapping) else [])
    for name in _SUB.findall(text if isinstance(text, str) else ""):
        if name not in own:
            yield "GetAtt" if "." in name else "Ref", name.partition(".")[0]


def _circle(depends: Mapping[str, set[str]]) -> list[str]:
    """Give the resources that wait for one another."""
    left = {name: set(needed) for name, needed in depends.items()}
    while free := [name for name, needed in left.items() if not needed & left.keys()]:
        for name in free:
            del left[name]
    # What only waits for the circle is no part of it.
    while ends := [name for name in left if not any(name in needed for needed in left.values())]:
        for name in ends:
            del left[name]
    return sorted(left)
