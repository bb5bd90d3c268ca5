"""CloudFormation's types of Lambda beside the function itself: URLs, versions, aliases, permissions, asynchronous settings."""

from collections.abc import Mapping
from typing import Any

from labs.cloud.resource_types import Call, Made, Properties, ResourceType, given, keep

_URL = ("AuthType", "Cors", "InvokeMode")


def _url_of(properties: Properties) -> dict[str, Any]:
    """Name the function and, apart from it, the alias that a URL leads to: the API wants them so."""
    pieces = str(properties["TargetFunctionArn"]).split(":")
    names = pieces[6:] if len(pieces) > 2 else pieces
    qualifier = properties.get("Qualifier") or (names[1] if len(names) > 1 else None)
    return {"FunctionName": names[0], **({"Qualifier": qualifier} if qualifier else {})}


def _create_url(call: Call, name: str, properties: Properties) -> Made:
    made = call("lambda", "CreateFunctionUrlConfig", **_url_of(properties), **given(properties, *_URL))
    return Made(made["FunctionArn"], {"FunctionUrl": made["FunctionUrl"], "FunctionArn": made["FunctionArn"]})


def _update_url(call: Call, made: Made, properties: Properties) -> Made:
    call("lambda", "UpdateFunctionUrlConfig", **_url_of(properties), **given(properties, *_URL))
    return made


def _delete_url(call: Call, made: Made, properties: Properties) -> None:
    call("lambda", "DeleteFunctionUrlConfig", **_url_of(properties))


def _create_version(call: Call, name: str, properties: Properties) -> Made:
    made = call("lambda", "PublishVersion", **given(properties, "FunctionName", "Description"))
    return Made(f"{made['FunctionArn']}", {"Version": made["Version"], "FunctionArn": made["FunctionArn"]})


def _delete_version(call: Call, made: Made, properties: Properties) -> None:
    call("lambda", "DeleteFunction", FunctionName=properties["FunctionName"], Qualifier=made.attributes["Version"])


_PERMISSION = ("FunctionName", "Action", "Principal", "SourceArn", "SourceAccount", "EventSourceToken", "FunctionUrlAuthType")


def _create_permission(call: Call, name: str, properties: Properties) -> Made:
    call("lambda", "AddPermission", StatementId=name, **given(properties, *_PERMISSION))
    return Made(name)


def _delete_permission(call: Call, made: Made, properties: Properties) -> None:
    call("lambda", "RemovePermission", StatementId=made.physical_id, FunctionName=properties["FunctionName"])


_ALIAS = ("FunctionName", "FunctionVersion", "Name", "Description")


def _alias_settings(properties: Properties) -> dict[str, Any]:
    settings = given(properties, *_ALIAS)
    weights = (properties.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or ()
    if weights:
        shares = {str(one["FunctionVersion"]): float(one["FunctionWeight"]) for one in weights}
        settings["RoutingConfig"] = {"AdditionalVersionWeights": shares}
    return settings


def _create_alias(call: Call, name: str, properties: Properties) -> Made:
    arn = call("lambda", "CreateAlias", **_alias_settings(properties))["AliasArn"]
    return Made(arn, {"AliasArn": arn})


def _update_alias(call: Call, made: Made, properties: Properties) -> Made:
    call("lambda", "UpdateAlias", **_alias_settings(properties))
    return made


def _delete_alias(call: Call, made: Made, properties: Properties) -> None:
    call("lambda", "DeleteAlias", FunctionName=properties["FunctionName"], Name=properties["Name"])


_INVOKE = ("FunctionName", "Qualifier", "MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")


def _create_invoke_config(call: Call, name: str, properties: Properties) -> Made:
    call("lambda", "PutFunctionEventInvokeConfig", **given(properties, *_INVOKE))
    return Made(name)


def _update_invoke_config(call: Call, made: Made, properties: Properties) -> Made:
    _create_invoke_config(call, "", properties)
    return made


def _delete_invoke_config(call: Call, made: Made, properties: Properties) -> None:
    call("lambda", "DeleteFunctionEventInvokeConfig", **given(properties, "FunctionName", "Qualifier"))


TYPES: Mapping[str, ResourceType] = {
    "AWS::Lambda::Url": ResourceType(_create_url, _delete_url, _update_url, ("FunctionUrl", "FunctionArn")),
    "AWS::Lambda::Version": ResourceType(_create_version, _delete_version, keep, ("Version", "FunctionArn")),
    "AWS::Lambda::Permission": ResourceType(_create_permission, _delete_permission),
    "AWS::Lambda::Alias": ResourceType(_create_alias, _delete_alias, _update_alias, ("AliasArn",)),
    "AWS::Lambda::EventInvokeConfig": ResourceType(_create_invoke_config, _delete_invoke_config, _update_invoke_config),
}
