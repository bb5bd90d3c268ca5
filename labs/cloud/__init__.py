"""An AWS account inside this machine: real code on a simulated clock.

with Cloud(seed=7) as cloud:
    stack = cloud.deploy("labs/lab01_thumbnail/template.yaml", code="my_handler.py")
    cloud.client("s3").put_object(Bucket=stack.outputs["Photos"], Key="cat.png", Body=picture)
    cloud.run()
    cloud.trace
"""

from labs.cloud.cloud import Cloud, CloudError, CloudGoneError, CloudSlowError, DeploymentError, Stack
from labs.cloud.host import CloudHost
from labs.cloud.kernel import Pace, RunEnd
from labs.cloud.kinds import Kind
from labs.cloud.trace import Record, Trace

__all__ = [
    "Cloud",
    "CloudError",
    "CloudGoneError",
    "CloudHost",
    "CloudSlowError",
    "DeploymentError",
    "Kind",
    "Pace",
    "Record",
    "RunEnd",
    "Stack",
    "Trace",
]
