"""CloudFormation: SAM templates through change sets and stacks, types that moto lacks, refusals, roll-backs, deletions."""

import json
from typing import Any

import botocore.exceptions
import pytest

from labs.cloud import Cloud, DeploymentError
from labs.cloud.packing import pack_source
from tests.cloud.test_http import Client

SAM = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: prod}
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Handler: handler.handler
      Runtime: python3.12
      CodeUri: s3://code/app.zip
      AutoPublishAlias: live
      FunctionUrlConfig: {AuthType: NONE}
      EventInvokeConfig: {MaximumRetryAttempts: 1}
      Events:
        Item: {Type: HttpApi, Properties: {Path: "/items/{id}", Method: get}}
        Rest: {Type: Api, Properties: {Path: "/rest/{proxy+}", Method: any}}
        Named: {Type: HttpApi, Properties: {Path: /named, Method: post, ApiId: !Ref Named, TimeoutInMillis: 5000}}
  Named:
    Type: AWS::Serverless::HttpApi
    Properties:
      StageName: !Ref Stage
      CorsConfiguration: {AllowOrigins: ["https://shop.example"], AllowMethods: [POST]}
      DefaultRouteSettings: {ThrottlingBurstLimit: 7, ThrottlingRateLimit: 3}
Outputs:
  Function: {Value: !Ref Function}
  Alias: {Value: !Ref Function.Alias}
  Http: {Value: !Sub "https://${ServerlessHttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/"}
  Rest: {Value: !Sub "https://${ServerlessRestApi}.execute-api.${AWS::Region}.amazonaws.com/Prod/"}
  Named: {Value: !GetAtt Named.ApiEndpoint}
  Url: {Value: !GetAtt FunctionUrl.FunctionUrl}
"""
CODE = "import json\ndef handler(event, context):\n    return {'statusCode': 200, 'body': json.dumps(event)}\n"
ALL = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]


def _upload(cloud: Cloud, code: str = CODE) -> None:
    cloud.client("s3").create_bucket(Bucket="code")
    cloud.client("s3").put_object(Bucket="code", Key="app.zip", Body=pack_source(code))


def _outputs(cloud: Cloud, name: str) -> dict[str, str]:
    (stack,) = cloud.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", ())}


def _host(url: str) -> str:
    return url.removeprefix("https://").partition("/")[0]


def _through_a_change_set(cloud: Cloud, name: str, template: str, kind: str = "CREATE", **more: Any) -> dict[str, str]:
    formation = cloud.client("cloudformation")
    formation.create_change_set(
        StackName=name, ChangeSetName="one", TemplateBody=template, ChangeSetType=kind, Capabilities=["CAPABILITY_IAM"], **more
    )
    described = formation.describe_change_set(StackName=name, ChangeSetName="one")
    assert (described["Status"], described["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    formation.execute_change_set(StackName=name, ChangeSetName="one")
    formation.delete_change_set(StackName=name, ChangeSetName="one")
    return _outputs(cloud, name)


def test_a_sam_template_with_every_kind_of_endpoint(cloud: Cloud) -> None:
    """AWS SAM developer guide: HttpApi and Api events with implicit APIs, AWS::Serverless::HttpApi, FunctionUrlConfig."""
    _upload(cloud)
    outputs = _through_a_change_set(cloud, "app", SAM)
    client = Client(cloud)
    event = client.send(_host(outputs["Http"]), "/items/5").json
    assert (event["routeKey"], event["pathParameters"]) == ("GET /items/{id}", {"id": "5"})
    assert client.send(_host(outputs["Rest"]), "/Prod/rest/a/b").json["pathParameters"] == {"proxy": "a/b"}
    answer = client.send(_host(outputs["Named"]), "/prod/named", "POST", headers={"Origin": "https://shop.example"})
    assert answer.json["requestContext"]["stage"] == "prod"
    assert answer.header("access-control-allow-origin") == "https://shop.example"
    assert client.send(_host(outputs["Url"]), "/x").json["rawPath"] == "/x"
    assert outputs["Alias"].endswith(f":function:{outputs['Function']}:live")
    invoked = cloud.client("lambda").get_function_event_invoke_config(FunctionName=outputs["Function"], Qualifier="live")
    assert invoked["MaximumRetryAttempts"] == 1
    id = outputs["Named"].removeprefix("https://").partition(".")[0]
    stage = cloud.client("apigatewayv2").get_stage(ApiId=id, StageName="prod")
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == 7


def test_an_update_keeps_the_api_and_changes_its_routes(cloud: Cloud) -> None:
    """AWS CloudFormation template reference: AWS::ApiGatewayV2::Api and RestApi, update without interruption of Body."""
    _upload(cloud)
    before = _through_a_change_set(cloud, "app", SAM)
    changed = SAM.replace("/items/{id}", "/things/{id}").replace("/rest/{proxy+}", "/other")
    after = _through_a_change_set(cloud, "app", changed, "UPDATE")
    assert after == before
    client = Client(cloud)
    assert client.send(_host(after["Http"]), "/things/5").status == 200
    assert client.send(_host(after["Http"]), "/items/5").status == 404
    assert client.send(_host(after["Rest"]), "/Prod/other").status == 200
    assert client.send(_host(after["Rest"]), "/Prod/rest/a").status == 403


def test_a_deleted_stack_leaves_nothing(cloud: Cloud) -> None:
    """AWS CloudFormation user guide: Deleting a stack."""
    _upload(cloud)
    outputs = _through_a_change_set(cloud, "app", SAM)
    formation = cloud.client("cloudformation")
    formation.delete_stack(StackName="app")
    with pytest.raises(botocore.exceptions.ClientError, match="app does not exist"):
        formation.describe_stacks(StackName="app")
    assert cloud.client("lambda").list_functions()["Functions"] == []
    assert cloud.client("apigatewayv2").get_apis()["Items"] == []
    assert cloud.client("apigateway").get_rest_apis()["items"] == []
    assert cloud.client("iam").list_roles()["Roles"] == []
    assert Client(cloud).send(_host(outputs["Http"]), "/items/5").status == 403
    _through_a_change_set(cloud, "app", SAM)


def test_resources_of_an_http_api_one_by_one(cloud: Cloud) -> None:
    """AWS CloudFormation template reference: AWS::ApiGatewayV2::Integration, Route and Stage."""
    template = """
        Transform: AWS::Serverless-2016-10-31
        Resources:
          F: {Type: AWS::Serverless::Function, Properties: {Handler: handler.handler, Runtime: python3.12}}
          Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: plain, ProtocolType: HTTP}}
          Way:
            Type: AWS::ApiGatewayV2::Integration
            Properties:
              ApiId: !Ref Api
              IntegrationType: AWS_PROXY
              IntegrationUri: !GetAtt F.Arn
              PayloadFormatVersion: "2.0"
          Route:
            Type: AWS::ApiGatewayV2::Route
            Properties: {ApiId: !Ref Api, RouteKey: GET /x, Target: !Sub "integrations/${Way}"}
          Stage:
            Type: AWS::ApiGatewayV2::Stage
            Properties: {ApiId: !Ref Api, StageName: $default, AutoDeploy: true}
        Outputs: {Api: {Value: !GetAtt Api.ApiEndpoint}}
    """
    outputs = cloud.deploy_package(template, pack_source(CODE), name="plain").outputs
    assert Client(cloud).send(_host(outputs["Api"]), "/x").json["routeKey"] == "GET /x"
    outputs = cloud.deploy_package(template.replace("GET /x", "GET /y"), pack_source(CODE), name="plain").outputs
    assert Client(cloud).send(_host(outputs["Api"]), "/y").json["routeKey"] == "GET /y"
    assert Client(cloud).send(_host(outputs["Api"]), "/x").status == 404


def test_a_template_from_a_bucket(cloud: Cloud) -> None:
    """AWS CloudFormation API reference: TemplateURL, with the bucket in the path or in the host."""
    _upload(cloud)
    cloud.client("s3").put_object(Bucket="code", Key="t/app.yaml", Body=SAM.encode())
    formation = cloud.client("cloudformation")
    for number, url in enumerate((f"{cloud.endpoint}/code/t/app.yaml", "https://code.s3.us-east-1.amazonaws.com/t/app.yaml")):
        parameters = [{"ParameterKey": "Stage", "ParameterValue": f"s{number}"}]
        formation.create_stack(StackName=f"s{number}", TemplateURL=url, Capabilities=ALL, Parameters=parameters)
        outputs = _outputs(cloud, f"s{number}")
        assert Client(cloud).send(_host(outputs["Named"]), f"/s{number}/named", "POST").status == 200
    with pytest.raises(botocore.exceptions.ClientError, match="S3 error"):
        formation.create_stack(StackName="no", TemplateURL="https://code.s3.amazonaws.com/none.yaml", Capabilities=ALL)


BUCKET = '{"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "%s"}}'


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("Resources: {", "Template format error: YAML not well-formed"),
        ("Description: nothing", "Template format error: At least one Resources member must be defined."),
        ("Resources: {A: {Properties: {}}}", "[/Resources/A] Every Resources object must contain a Type member."),
        (
            "Resources: {Teapot: {Type: AWS::Kitchen::Teapot}}",
            "Template format error: Unrecognized resource types: [AWS::Kitchen::Teapot] (resources: [Teapot])",
        ),
        (
            "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Nobody}}}",
            "Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template",
        ),
        (
            "Resources: {Q: {Type: AWS::SQS::Queue}}\nOutputs: {O: {Value: !Sub '${Nobody}'}}",
            "Template format error: Unresolved resource dependencies [Nobody] in the Outputs block of the template",
        ),
        (
            "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt Nobody.Arn}}}",
            "Template error: instance of Fn::GetAtt references undefined resource Nobody",
        ),
        (
            "Resources: {A: {Type: AWS::SQS::Queue, DependsOn: B}, B: {Type: AWS::SQS::Queue, DependsOn: A}, "
            "C: {Type: AWS::SQS::Queue, DependsOn: B}}",
            "Circular dependency between resources: [A, B]",
        ),
        (
            "Transform: AWS::Serverless-2016-10-31\nResources: {F: {Type: AWS::Serverless::Function, Properties: {}}}",
            "Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification document. "
            "Number of errors found: 1. Resource with id [F] is invalid.",
        ),
        ("Resources: {Q: {Type: AWS::SQS::Queue}} #" + "x" * 51_200, "less than or equal to 51200"),
    ],
)
def test_a_template_that_aws_would_not_take(cloud: Cloud, template: str, message: str) -> None:
    """AWS CloudFormation user guide: Troubleshooting; the codes and messages are AWS's."""
    for operation in ("create_stack", "create_change_set"):
        names = {"StackName": "s"} if operation == "create_stack" else {"StackName": "s", "ChangeSetName": "c"}
        with pytest.raises(botocore.exceptions.ClientError) as refusal:
            getattr(cloud.client("cloudformation"), operation)(**names, TemplateBody=template, Capabilities=ALL)
        assert refusal.value.response["Error"]["Code"] == "ValidationError"
        assert message in refusal.value.response["Error"]["Message"]
    assert cloud.client("cloudformation").list_stacks()["StackSummaries"] == []


def test_iam_resources_and_transforms_must_be_acknowledged(cloud: Cloud) -> None:
    """AWS CloudFormation API reference: CreateStack, Capabilities."""
    _upload(cloud)
    formation = cloud.client("cloudformation")
    for given, missing in (([], "CAPABILITY_AUTO_EXPAND, CAPABILITY_IAM"), (["CAPABILITY_AUTO_EXPAND"], "CAPABILITY_IAM")):
        with pytest.raises(formation.exceptions.InsufficientCapabilitiesException, match=missing):
            formation.create_stack(StackName="s", TemplateBody=SAM, Capabilities=given)


def test_a_resource_that_fails_rolls_the_stack_back(cloud: Cloud) -> None:
    """AWS CloudFormation user guide: Stack failure options; the events name the resource."""
    formation = cloud.client("cloudformation")
    cloud.client("s3").create_bucket(Bucket="theirs")
    template = json.dumps(
        {
            "Resources": {
                "First": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "first"}},
                "Broken": {
                    "Type": "AWS::ApiGatewayV2::Stage",
                    "DependsOn": "First",
                    "Properties": {"ApiId": "nosuchapi", "StageName": "s"},
                },
            }
        }
    )
    formation.create_stack(StackName="s", TemplateBody=template)
    (stack,) = formation.describe_stacks(StackName="s")["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    events = formation.describe_stack_events(StackName="s")["StackEvents"]
    failed = [one for one in events if one["ResourceStatus"] == "CREATE_FAILED"]
    assert [(one["LogicalResourceId"], one["ResourceType"]) for one in failed] == [("Broken", "AWS::ApiGatewayV2::Stage")]
    assert "Invalid API identifier" in failed[0]["ResourceStatusReason"]
    assert "QueueUrls" not in cloud.client("sqs").list_queues()
    with pytest.raises(DeploymentError, match="stack t: Broken: "):
        cloud.deploy_package(template, pack_source(CODE), name="t")
    good = json.dumps({"Resources": {"First": json.loads(template)["Resources"]["First"]}})
    cloud.deploy_package(good, pack_source(CODE), name="t")
    with pytest.raises(DeploymentError, match="stack t: Broken: "):
        cloud.deploy_package(template, pack_source(CODE), name="t")
    (stack,) = formation.describe_stacks(StackName="t")["Stacks"]
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert len(cloud.client("sqs").list_queues()["QueueUrls"]) == 1
