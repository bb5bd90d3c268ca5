"""CloudFormation's types of API Gateway: HTTP APIs and REST APIs, with what an OpenAPI document in them says."""

from collections.abc import Mapping
from typing import Any

from labs.cloud.resource_types import Call, Made, Properties, ResourceType, given, keep, nothing_to_create, nothing_to_delete

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


TYPES: Mapping[str, ResourceType] = {
    "AWS::ApiGatewayV2::Api": ResourceType(_create_http_api, _delete_http_api, _update_http_api, ("ApiEndpoint", "ApiId")),
    "AWS::ApiGatewayV2::Stage": ResourceType(_create_http_stage, _delete_http_stage, _update_http_stage),
    "AWS::ApiGatewayV2::Integration": ResourceType(_create_integration, _delete_integration, _update_integration),
    "AWS::ApiGatewayV2::Route": ResourceType(_create_route, _delete_route, _update_route),
    "AWS::ApiGatewayV2::Deployment": ResourceType(nothing_to_create, nothing_to_delete, keep),
    "AWS::ApiGateway::RestApi": ResourceType(
        _create_rest_api, _delete_rest_api, _update_rest_api, ("RootResourceId", "RestApiId")
    ),
    "AWS::ApiGateway::Deployment": ResourceType(_create_deployment, nothing_to_delete, keep, ("DeploymentId",)),
    "AWS::ApiGateway::Stage": ResourceType(_create_rest_stage, _delete_rest_stage, _update_rest_stage),
}
