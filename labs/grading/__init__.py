"""Grading: a lab's checks act on a cloud of their own, and what they find becomes feedback and points.

@check("thumbnail")
def test_thumbnail(lab: LabRun) -> None:
    lab.put(lab.stack.outputs["Photos"], "cat.png", picture)
    lab.run()
    if "cat.png" not in lab.objects(lab.stack.outputs["Thumbnails"]):
        fail("thumbnail_missing", record=lab.trace[-1], key="cat.png")
"""

from labs.grading.checks import Misstep, check, fail
from labs.grading.lab_run import LabRun
from labs.grading.result import CheckResult, Reason, Result, Status
from labs.grading.run import grade, grade_source

__all__ = ["CheckResult", "LabRun", "Misstep", "Reason", "Result", "Status", "check", "fail", "grade", "grade_source"]
