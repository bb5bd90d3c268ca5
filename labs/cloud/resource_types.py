"""The CloudFormation resource types that moto lacks or gets wrong: what creates, updates and deletes each, through the API.

One table, TYPES. An entry says which API operations stand behind a type; moto_seams.add_resource_types makes it known to moto's
CloudFormation, so that Ref, GetAtt, Outputs, updates, roll-backs and deletions work as for every other type.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

# What a template says about a resource, with references resolved; values may be strings where the API wants numbers.
Properties = Mapping[str, Any]


class Call(Protocol):
    """Call an operation of AWS's API by its names, with the account and region of the stack."""

    def __call__(self, service: str, operation: str, /, **parameters: object) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Made:
    """A resource as Ref and GetAtt see it."""

    physical_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResourceType:
    """What stands behind one type. `create` gets a name for what has none; without `update` a change replaces the resource."""

    create: Callable[[Call, str, Properties], Made]
    delete: Callable[[Call, Made, Properties], None]
    update: Callable[[Call, Made, Properties], Made] | None = None
    attributes: Sequence[str] = ()


def given(properties: Properties, *names: str) -> dict[str, Any]:
    """Take the properties that are there."""
    return {name: properties[name] for name in names if name in properties}


# API Gateway V2 (HTTP APIs)
_CORS = "x-amazon-apigateway-cors"
_INTEGRATION = "x-amazon-apigateway-integration"
_ANY = "x-amazon-apigateway-any-method"
_API = ("Name", "Description", "CorsConfiguration", "DisableExecuteApiEndpoint", "RouteSelectionExpression", "Version")


def _api_settings(properties: Properties) -> dict[str, Any]:
    body = properties.get("Body") or {}
    settings = {"Name": body.get("info", {}).get("title", "api"), **given(properties, *_API)}
    if "CorsConfiguration" not in settings and _CORS in body:
        settings["CorsConfiguration"] = {name[0].upper() + name[1:]: value for name, value in body[_CORS].items()}
    return settings


def _create_http_api(call: Call, name: str, properties: Properties) -> Made:
    settings = {**_api_settings(properties), **given(properties, "Tags")}
    made = call("apigatewayv2", "CreateApi", ProtocolType=properties.get("ProtocolType", "HTTP"), **settings)
    _fill_http_api(call, made["ApiId"], properties)
    return Made(made["ApiId"], {"ApiEndpoint": made["ApiEndpoint"], "ApiId": made["ApiId"]})


def _update_http_api(call: Call, made: Made, properties: Properties) -> Made:
    call("apigatewayv2", "UpdateApi", ApiId=made.physical_id, **_api_settings(properties))
    if "Body" in properties:
        for route in call("apigatewayv2", "GetRoutes", ApiId=made.physical_id)["Items"]:
            call("apigatewayv2", "DeleteRoute", ApiId=made.physical_id, RouteId=route["RouteId"])
        for one in call("apigatewayv2", "GetIntegrations", ApiId=made.physical_id)["Items"]:
            call("apigatewayv2", "DeleteIntegration", ApiId=made.physical_id, IntegrationId=one["IntegrationId"])
    _fill_http_api(call, made.physical_id, properties)
    return made


def _fill_http_api(call: Call, id: str, properties: Properties) -> None:
    """Make the routes of an OpenAPI document, or the one route of a quick create."""
    if target := properties.get("Target"):
        _http_route(call, id, properties.get("RouteKey", "$default"), {"uri": target, "payloadFormatVersion": "2.0"}, {})
        call("apigatewayv2", "CreateStage", ApiId=id, StageName="$default", AutoDeploy=True)
    for path, methods in ((properties.get("Body") or {}).get("paths") or {}).items():
        for method, described in methods.items():
            if _INTEGRATION in described:
                verb = "ANY" if method == _ANY else method.upper()
                key = path if path == "$default" else f"{verb} {path}"
                _http_route(call, id, key, described[_INTEGRATION], described)


def _http_route(call: Call, id: str, key: str, integration: Properties, described: Properties) -> None:
    timeout = {"TimeoutInMillis": integration["timeoutInMillis"]} if "timeoutInMillis" in integration else {}
    made = call(
        "apigatewayv2",
        "CreateIntegration",
        ApiId=id,
        IntegrationType=str(integration.get("type", "AWS_PROXY")).upper(),
        IntegrationMethod=integration.get("httpMethod", "POST"),
        IntegrationUri=integration["uri"],
        PayloadFormatVersion=integration.get("payloadFormatVersion", "1.0"),
        **timeout,
    )
    wanted = [one for one in described.get("security") or () if one and "NONE" not in one]
    kind = {} if not wanted else {"AuthorizationType": "AWS_IAM" if "AWS_IAM" in wanted[0] else "JWT"}
    call("apigatewayv2", "CreateRoute", ApiId=id, RouteKey=key, Target=f"integrations/{made['IntegrationId']}", **kind)


def _delete_http_api(call: Call, made: Made, properties: Properties) -> None:
    call("apigatewayv2", "DeleteApi", ApiId=made.physical_id)


_STAGE = ("ApiId", "AutoDeploy", "Description", "StageName", "StageVariables", "DefaultRouteSettings", "RouteSettings", "Tags")


def _create_http_stage(call: Call, name: str, properties: Properties) -> Made:
    call("apigatewayv2", "CreateStage", **given(properties, *_STAGE))
    return Made(properties["StageName"])


def _update_http_stage(call: Call, made: Made, properties: Properties) -> Made:
    # The store cannot update a stage; creating it once more replaces its settings.
    return _create_http_stage(call, "", properties)


def _delete_http_stage(call: Call, made: Made, properties: Properties) -> None:
    call("apigatewayv2", "DeleteStage", ApiId=properties["ApiId"], StageName=made.physical_id)


_INTEGRATION_FIELDS = (
    "ApiId",
    "Description",
    "IntegrationMethod",
    "IntegrationType",
    "IntegrationUri",
    "PayloadFormatVersion",
    "TimeoutInMillis",
)


def _create_integration(call: Call, name: str, properties: Properties) -> Made:
    return Made(call("apigatewayv2", "CreateIntegration", **given(properties, *_INTEGRATION_FIELDS))["IntegrationId"])


def _update_integration(call: Call, made: Made, properties: Properties) -> Made:
    settings = given(properties, *_INTEGRATION_FIELDS)
    call("apigatewayv2", "UpdateIntegration", IntegrationId=made.physical_id, **settings)
    return made


def _delete_integration(call: Call, made: Made, properties: Properties) -> None:
    call("apigatewayv2", "DeleteIntegration", ApiId=properties["ApiId"], IntegrationId=made.physical_id)


_ROUTE = ("ApiId", "RouteKey", "Target", "AuthorizationType", "AuthorizerId", "OperationName")


def _create_route(call: Call, name: str, properties: Properties) -> Made:
    return Made(call("apigatewayv2", "CreateRoute", **given(properties, *_ROUTE))["RouteId"])


def _update_route(call: Call, made: Made, properties: Properties) -> Made:
    call("apigatewayv2", "UpdateRoute", RouteId=made.physical_id, **given(properties, *_ROUTE))
    return made


def _delete_route(call: Call, made: Made, properties: Properties) -> None:
    call("apigatewayv2", "DeleteRoute", ApiId=properties["ApiId"], RouteId=made.physical_id)


def _nothing_to_create(call: Call, name: str, properties: Properties) -> Made:
    """Give a name to what leaves nothing behind here: every stage serves its API as it is."""
    return Made(name)


def _nothing_to_delete(call: Call, made: Made, properties: Properties) -> None:
    """Leave what goes with its parent."""


def _keep(call: Call, made: Made, properties: Properties) -> Made:
    return made


# API Gateway (REST APIs)
def _create_rest_api(call: Call, name: str, properties: Properties) -> Made:
    body = properties.get("Body") or {}
    settings = {"name": properties.get("Name") or body.get("info", {}).get("title", name)}
    if "Description" in properties:
        settings["description"] = properties["Description"]
    made = call("apigateway", "CreateRestApi", **settings)
    root = call("apigateway", "GetResources", restApiId=made["id"])["items"][0]["id"]
    found = Made(made["id"], {"RootResourceId": root, "RestApiId": made["id"]})
    _fill_rest_api(call, found, properties)
    return found


def _update_rest_api(call: Call, made: Made, properties: Properties) -> Made:
    if "Body" in properties:
        for resource in call("apigateway", "GetResources", restApiId=made.physical_id)["items"]:
            if resource["id"] != made.attributes["RootResourceId"]:
                call("apigateway", "DeleteResource", restApiId=made.physical_id, resourceId=resource["id"])
            for method in resource.get("resourceMethods", {}) if resource["path"] == "/" else ():
                where = {"restApiId": made.physical_id, "resourceId": resource["id"], "httpMethod": method}
                call("apigateway", "DeleteMethod", **where)
    _fill_rest_api(call, made, properties)
    return made


def _fill_rest_api(call: Call, made: Made, properties: Properties) -> None:
    """Make the resources and methods of a Swagger document."""
    id = made.physical_id
    body = properties.get("Body") or {}
    kinds = properties.get("BinaryMediaTypes") or body.get("x-amazon-apigateway-binary-media-types") or ()
    for kind in kinds:
        path = "/binaryMediaTypes/" + kind.replace("~", "~0").replace("/", "~1")
        call("apigateway", "UpdateRestApi", restApiId=id, patchOperations=[{"op": "add", "path": path}])
    known = {"": made.attributes["RootResourceId"]}
    for path, methods in (body.get("paths") or {}).items():
        parent = ""
        for part in filter(None, path.split("/")):
            here = f"{parent}/{part}"
            if here not in known:
                made_part = call("apigateway", "CreateResource", restApiId=id, parentId=known[parent], pathPart=part)
                known[here] = made_part["id"]
            parent = here
        for method, described in methods.items():
            if isinstance(described, dict) and (_INTEGRATION in described):
                where = {
                    "restApiId": id,
                    "resourceId": known[parent],
                    "httpMethod": "ANY" if method == _ANY else method.upper(),
                }
                _rest_method(call, where, described)


def _rest_method(call: Call, where: dict[str, Any], described: Properties) -> None:
    integration = described[_INTEGRATION]
    wanted = [name for one in described.get("security") or () for name in one]
    kind = "AWS_IAM" if "sigv4" in wanted else "CUSTOM" if wanted and wanted != ["api_key"] else "NONE"
    call("apigateway", "PutMethod", authorizationType=kind, apiKeyRequired="api_key" in wanted, **where)
    settings: dict[str, Any] = {"type": str(integration.get("type", "aws_proxy")).upper()}
    if settings["type"] != "MOCK":
        settings |= {"integrationHttpMethod": integration.get("httpMethod", "POST"), "uri": integration["uri"]}
    if "timeoutInMillis" in integration:
        settings["timeoutInMillis"] = integration["timeoutInMillis"]
    if "requestTemplates" in integration:
        settings["requestTemplates"] = integration["requestTemplates"]
    call("apigateway", "PutIntegration", **settings, **where)
    for response in (integration.get("responses") or {}).values():
        status = str(response.get("statusCode", "200"))
        call("apigateway", "PutMethodResponse", statusCode=status, **where)
        answered = given(response, "responseParameters", "responseTemplates")
        call("apigateway", "PutIntegrationResponse", statusCode=status, **answered, **where)


def _delete_rest_api(call: Call, made: Made, properties: Properties) -> None:
    call("apigateway", "DeleteRestApi", restApiId=made.physical_id)


def _create_deployment(call: Call, name: str, properties: Properties) -> Made:
    settings = {"stageName": properties["StageName"]} if "StageName" in properties else {}
    made = call("apigateway", "CreateDeployment", restApiId=properties["RestApiId"], **settings)
    return Made(made["id"], {"DeploymentId": made["id"]})


def _create_rest_stage(call: Call, name: str, properties: Properties) -> Made:
    where = {"restApiId": properties["RestApiId"], "stageName": properties["StageName"]}
    settings = {"variables": properties["Variables"]} if "Variables" in properties else {}
    call("apigateway", "CreateStage", deploymentId=properties["DeploymentId"], **settings, **where)
    operations = []
    for one in properties.get("MethodSettings") or ():
        path = str(one.get("ResourcePath", "/*")).strip("/").replace("/", "~1") or "~1"
        method = "*" if one.get("HttpMethod", "*") == "*" else one["HttpMethod"]
        for field_name, key in (("ThrottlingRateLimit", "rateLimit"), ("ThrottlingBurstLimit", "burstLimit")):
            if field_name in one:
                operation = {"op": "replace", "path": f"/{path}/{method}/throttling/{key}", "value": str(one[field_name])}
                operations.append(operation)
    if operations:
        call("apigateway", "UpdateStage", patchOperations=operations, **where)
    return Made(properties["StageName"])


def _update_rest_stage(call: Call, made: Made, properties: Properties) -> Made:
    _delete_rest_stage(call, made, properties)
    return _create_rest_stage(call, "", properties)


def _delete_rest_stage(call: Call, made: Made, properties: Properties) -> None:
    call("apigateway", "DeleteStage", restApiId=properties["RestApiId"], stageName=made.physical_id)


# Lambda
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
    "AWS::ApiGatewayV2::Api": ResourceType(_create_http_api, _delete_http_api, _update_http_api, ("ApiEndpoint", "ApiId")),
    "AWS::ApiGatewayV2::Stage": ResourceType(_create_http_stage, _delete_http_stage, _update_http_stage),
    "AWS::ApiGatewayV2::Integration": ResourceType(_create_integration, _delete_integration, _update_integration),
    "AWS::ApiGatewayV2::Route": ResourceType(_create_route, _delete_route, _update_route),
    "AWS::ApiGatewayV2::Deployment": ResourceType(_nothing_to_create, _nothing_to_delete, _keep),
    "AWS::ApiGateway::RestApi": ResourceType(
        _create_rest_api, _delete_rest_api, _update_rest_api, ("RootResourceId", "RestApiId")
    ),
    "AWS::ApiGateway::Deployment": ResourceType(_create_deployment, _nothing_to_delete, _keep, ("DeploymentId",)),
    "AWS::ApiGateway::Stage": ResourceType(_create_rest_stage, _delete_rest_stage, _update_rest_stage),
    "AWS::Lambda::Url": ResourceType(_create_url, _delete_url, _update_url, ("FunctionUrl", "FunctionArn")),
    "AWS::Lambda::Version": ResourceType(_create_version, _delete_version, _keep, ("Version", "FunctionArn")),
    "AWS::Lambda::Permission": ResourceType(_create_permission, _delete_permission),
    "AWS::Lambda::Alias": ResourceType(_create_alias, _delete_alias, _update_alias, ("AliasArn",)),
    "AWS::Lambda::EventInvokeConfig": ResourceType(_create_invoke_config, _delete_invoke_config, _update_invoke_config),
}
