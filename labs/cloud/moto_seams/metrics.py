"""CloudWatch's metrics, as AWS's own services put theirs there."""

import datetime
from collections.abc import Mapping

import moto.cloudwatch.models

from labs.cloud.moto_seams.engine import ACCOUNT, REGION


def put_metric(namespace: str, name: str, value: float, unit: str, dimensions: Mapping[str, str], wall_ns: int) -> None:
    """Add one value to a metric."""
    backend = moto.cloudwatch.models.cloudwatch_backends[ACCOUNT][REGION]
    # Straight into the store: PutMetricData refuses the namespaces of AWS.
    backend.metric_data.append(
        moto.cloudwatch.models.MetricDatum(
            namespace,
            name,
            value,
            [{"Name": key, "Value": of} for key, of in dimensions.items()],
            datetime.datetime.fromtimestamp(wall_ns / 1e9, datetime.UTC).replace(tzinfo=None),
            unit,
        )
    )
