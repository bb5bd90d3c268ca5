"""Operations of Lambda's API that moto lacks, or answers otherwise than AWS: aliases, asynchronous configuration, concurrency.

Source: AWS Lambda API reference and AWS SDK service model (2026-11-17).
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from labs.cloud import limits, moto_seams
from labs.cloud.api_call import ApiCall
from labs.cloud.front import Response
from labs.cloud.functions import configuration
from labs.cloud.functions.invoke_api import JSON_HEADER, refusal
from labs.cloud.functions.runtime_api import document
from labs.cloud.moto_seams import UnknownFunctionError, split_name

if TYPE_CHECKING:
    from labs.cloud.account import Account

# A request or an answer of an API: whatever the caller wrote.
Body = dict[str, Any]


class Refused(Exception):
    """An operation that is refused, with AWS's own answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.response = refusal(status, code, message)


Perform = Callable[[ApiCall, Body], Response]


def attach(account: "Account") -> None:
    """Carry out what moto does not, or not as AWS does."""
    moto_seams.complete_functions()
    own = Own(account)
    for name, perform in {
        "CreateFunction": own.checked,
        "UpdateFunctionConfiguration": own.checked,
        "CreateAlias": own.alias,
        "UpdateAlias": own.alias,
        "GetAlias": own.status(200),
        "DeleteAlias": own.status(204),
        "PutFunctionConcurrency": own.put_concurrency,
        "GetFunctionConcurrency": own.get_concurrency,
        "PutFunctionEventInvokeConfig": own.put_invoke_config,
        "UpdateFunctionEventInvokeConfig": own.put_invoke_config,
        "GetFunctionEventInvokeConfig": own.get_invoke_config,
        "DeleteFunctionEventInvokeConfig": own.delete_invoke_config,
        "ListFunctionEventInvokeConfigs": own.list_invoke_configs,
        "GetAccountSettings": own.account_settings,
        "PutFunctionRecursionConfig": own.put_recursion,
        "GetFunctionRecursionConfig": own.get_recursion,
    }.items():
        take_over(account, name, perform)


def take_over(account: "Account", operation: str, perform: Perform) -> None:
    """Carry out an operation of Lambda's with its body read and its refusals answered."""

    def act(call: ApiCall) -> None:
        try:
            body = json.loads(call.request.body or b"{}")
            response = perform(call, body if isinstance(body, dict) else {})
        except ValueError:
            response = refusal(400, "InvalidRequestContentException", "Could not parse request body into json")
        except Refused as refused:
            response = refused.response
        except UnknownFunctionError as unknown:
            response = refusal(404, "ResourceNotFoundException", f"Function not found: {unknown.arn}")
        call.finish(response)

    account.take_over("lambda", operation, act)


def named(call: ApiCall) -> tuple[str, str | None]:
    """Give the function and the qualifier that a request is about. Raises UnknownFunctionError."""
    parts = unquote(call.request.raw_path).split("/functions/")[-1].split("/")
    name, inside = split_name(parts[0])
    qualifier = inside or call.request.query.get("Qualifier")
    moto_seams.function_version(name)
    return name, qualifier


def answer(status: int, **fields: Any) -> Response:
    """Give Lambda's answer."""
    return Response(status, (JSON_HEADER,), document(**fields) if status != 204 else b"")


class Own:
    """The operations that we carry out."""

    def __init__(self, account: "Account") -> None:
        self._functions, self._kernel = account.functions, account.kernel

    def status(self, expected: int) -> Perform:
        """Leave an operation to the store, which answers with the wrong status."""

        def perform(call: ApiCall, body: Body) -> Response:
            response = call.ask_store()
            if response.status >= 400:
                return response
            return Response(expected, response.headers, b"" if expected == 204 else response.body)

        return perform

    def checked(self, call: ApiCall, body: Body) -> Response:
        """Create or update a function whose configuration is within Lambda's limits."""
        wrong = configuration.problem(body)
        if wrong is not None:
            raise Refused(400, *wrong)
        expected = body.get("RevisionId")
        if expected is not None and call.request.method == "PUT":
            name, _ = named(call)
            if moto_seams.function_version(name).revision != expected:
                message = (
                    "The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetAlias API to"
                    " retrieve the latest RevisionId"
                )
                raise Refused(412, "PreconditionFailedException", message)
        return call.ask_store()

    def alias(self, call: ApiCall, body: Body) -> Response:
        """Create or update an alias; between two versions both are published ones."""
        name, _ = named(call)
        weights = (body.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        if len(weights) > 1:
            raise Refused(
                400, "InvalidParameterValueException", "Number of items in AdditionalVersionWeights cannot be greater than 1"
            )
        for version, weight in weights.items():
            if "$LATEST" in (version, body.get("FunctionVersion")):
                message = "$LATEST is not supported for an alias pointing to more than 1 version"
                raise Refused(400, "InvalidParameterValueException", message)
            if not isinstance(weight, int | float) or not 0 <= weight <= 1:
                message = f"Value '{weight}' at 'routingConfig.additionalVersionWeights' must be between 0.0 and 1.0"
                raise Refused(400, "InvalidParameterValueException", message)
            moto_seams.function_version(name, str(version))
        response = call.ask_store()
        return (
            Response(201 if call.request.method == "POST" else 200, response.headers, response.body)
            if response.status < 400
            else response
        )

    # concurrency
    def put_concurrency(self, call: ApiCall, body: Body) -> Response:
        """Reserve concurrency, as long as enough stays unreserved."""
        name, _ = named(call)
        wanted = body.get("ReservedConcurrentExecutions")
        if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 0:
            raise Refused(400, "InvalidParameterValueException", "ReservedConcurrentExecutions must be 0 or more")
        quotas, concurrency = self._functions.quotas, self._functions.concurrency
        if quotas.concurrency - concurrency.set_aside(but=name) - wanted < quotas.unreserved_least:
            raise Refused(400, "InvalidParameterValueException", too_little_left(quotas.unreserved_least))
        if wanted < self._functions.provisioned(name):
            message = (
                "ReservedConcurrentExecutions for function should not be lower than function's total provisioned concurrency"
            )
            raise Refused(400, "InvalidParameterValueException", message)
        moto_seams.latest(name).reserved_concurrency = wanted
        return answer(200, ReservedConcurrentExecutions=wanted)

    def get_concurrency(self, call: ApiCall, body: Body) -> Response:
        """Give the reserved concurrency; without one the answer is empty."""
        reserved = moto_seams.reserved(named(call)[0])
        return answer(200) if reserved is None else answer(200, ReservedConcurrentExecutions=reserved)

    def account_settings(self, call: ApiCall, body: Body) -> Response:
        """Give the account's limits and what is used of them."""
        total, sizes = self._functions.quotas.concurrency, moto_seams.code_sizes()
        limit = {
            "TotalCodeSize": limits.CODE_STORAGE.value,
            "CodeSizeUnzipped": limits.CODE_UNZIPPED.value,
            "CodeSizeZipped": limits.CODE_ZIPPED.value,
            "ConcurrentExecutions": total,
            "UnreservedConcurrentExecutions": total - self._functions.concurrency.set_aside(),
        }
        usage = {"TotalCodeSize": sum(sizes), "FunctionCount": len(moto_seams.function_names())}
        return answer(200, AccountLimit=limit, AccountUsage=usage)

    # asynchronous invocation
    def put_invoke_config(self, call: ApiCall, body: Body) -> Response:
        """Set what becomes of asynchronous events; Put replaces everything, Update what it names."""
        name, qualifier = named(call)
        moto_seams.function_version(name, qualifier)
        wrong = configuration.invoke_config_problem(body)
        if wrong is not None:
            raise Refused(400, *wrong)
        configs, key = moto_seams.invoke_configs(name), qualifier or "$LATEST"
        kept = configs.get(key, {}) if call.operation.name.startswith("Update") else {}
        named_ones = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
        own = {field: body[field] for field in named_ones if body.get(field) is not None}
        configs[key] = {**kept, **own, "LastModified": self._kernel.wall_ns / 1e9}
        return answer(200, **_invoke_config(name, key, configs[key]))

    def get_invoke_config(self, call: ApiCall, body: Body) -> Response:
        """Give the configuration of a qualifier."""
        name, key = self._configured(call)
        return answer(200, **_invoke_config(name, key, moto_seams.invoke_configs(name)[key]))

    def delete_invoke_config(self, call: ApiCall, body: Body) -> Response:
        """Forget the configuration of a qualifier."""
        name, key = self._configured(call)
        del moto_seams.invoke_configs(name)[key]
        return answer(204)

    def list_invoke_configs(self, call: ApiCall, body: Body) -> Response:
        """Give the configurations of all qualifiers."""
        name, _ = named(call)
        found = [_invoke_config(name, key, config) for key, config in sorted(moto_seams.invoke_configs(name).items())]
        return answer(200, FunctionEventInvokeConfigs=found)

    def _configured(self, call: ApiCall) -> tuple[str, str]:
        name, qualifier = named(call)
        key = qualifier or "$LATEST"
        if key not in moto_seams.invoke_configs(name):
            arn = f"{moto_seams.function_version(name).invoked_arn}:{key}"
            raise Refused(404, "ResourceNotFoundException", f"The function {arn} doesn't have an EventInvokeConfig")
        return name, key

    # recursion
    def put_recursion(self, call: ApiCall, body: Body) -> Response:
        """Say whether recursive loops are ended."""
        wanted = body.get("RecursiveLoop")
        if wanted not in ("Allow", "Terminate"):
            raise Refused(400, "InvalidParameterValueException", f"Value '{wanted}' at 'recursiveLoop' is not valid")
        moto_seams.latest(named(call)[0]).recursion = wanted
        return answer(200, RecursiveLoop=wanted)

    def get_recursion(self, call: ApiCall, body: Body) -> Response:
        """Tell whether recursive loops are ended."""
        return answer(200, RecursiveLoop=moto_seams.function_version(named(call)[0]).recursion)


def too_little_left(least: int) -> str:
    """Say that a reservation would leave too little for all others."""
    return (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its"
        f" minimum value of [{least}]."
    )


def _invoke_config(name: str, key: str, config: Body) -> Body:
    arn = f"{moto_seams.function_version(name).invoked_arn}:{key}"
    destinations = {"OnSuccess": {}, "OnFailure": {}, **config.get("DestinationConfig", {})}
    return {"FunctionArn": arn, **config, "DestinationConfig": destinations}
