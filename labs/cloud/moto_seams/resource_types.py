"""CloudFormation resource types of ours, made known to moto."""

from collections.abc import Callable, Mapping
from typing import Any

import moto.cloudformation.exceptions
import moto.cloudformation.parsing
from moto.core.common_models import CloudFormationModel

from labs.cloud.resource_types import Call, Made, ResourceType

# Calls for a stack's account and region.
CallFor = Callable[[str, str], Call]

# A class knows its subclasses only as long as somebody else holds them.
_OURS: list[type[object]] = []


def add_resource_types(types: Mapping[str, ResourceType], call_for: CallFor) -> None:
    """Let moto's CloudFormation create, update and delete these types; they come before moto's own of the same name."""
    _OURS[:] = [_model(name, type, call_for) for name, type in types.items()]
    # moto finds the classes by asking for all subclasses, once.
    parsing = moto.cloudformation.parsing
    for cached in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        cached.cache_clear()


def supported(type: str) -> bool:
    """Tell whether a stack may have a resource of this type."""
    parsing = moto.cloudformation.parsing
    known: Mapping[str, object] = parsing.get_model_map()
    return type in known or type in parsing.NULL_MODELS or type.startswith("Custom::")


def _model(name: str, type_: ResourceType, call_for: CallFor) -> type[object]:
    class Model(CloudFormationModel):  # type: ignore[misc]
        def __init__(self, made: Made, properties: Mapping[str, Any]) -> None:
            self.made, self.properties = made, properties

        @property
        def physical_resource_id(self) -> str:
            return self.made.physical_id

        @staticmethod
        def cloudformation_type() -> str:
            return name

        @staticmethod
        def cloudformation_name_type() -> str:
            return ""

        @classmethod
        def has_cfn_attr(cls, attr: str) -> bool:
            return attr in type_.attributes

        def get_cfn_attribute(self, attribute_name: str) -> Any:
            if attribute_name not in self.made.attributes:
                raise moto.cloudformation.exceptions.UnformattedGetAttTemplateException()
            return self.made.attributes[attribute_name]

        @classmethod
        def create_from_cloudformation_json(
            cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **kwargs: Any
        ) -> "Model":
            properties = cloudformation_json["Properties"]
            return cls(type_.create(call_for(account_id, region_name), resource_name, properties), properties)

        @classmethod
        def update_from_cloudformation_json(
            cls,
            original_resource: Any,
            new_resource_name: str,
            cloudformation_json: Any,
            account_id: str,
            region_name: str,
        ) -> "Model":
            call, properties = call_for(account_id, region_name), cloudformation_json["Properties"]
            if type_.update is not None:
                return cls(type_.update(call, original_resource.made, properties), properties)
            made = type_.create(call, new_resource_name, properties)
            type_.delete(call, original_resource.made, original_resource.properties)
            return cls(made, properties)

        @classmethod
        def delete_from_cloudformation_json(
            cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
        ) -> None:
            """Do nothing: a resource deletes itself."""

        def delete(self, account_id: str, region_name: str) -> None:
            try:
                type_.delete(call_for(account_id, region_name), self.made, self.properties)
            except Exception as error:
                # moto deletes in no particular order: what went with its parent is deleted.
                if "NotFound" not in str(getattr(error, "code", "")):
                    raise

        def is_created(self) -> bool:
            return True

    return Model
