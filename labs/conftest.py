"""Labs are not tests: pytest leaves them alone, except `pytest labs/lab01_thumbnail --submission FILE`."""

import sys
from pathlib import Path

# The command `pytest` does not add the project's folder, and a lab's checks import from it.
if (_PROJECT := str(Path(__file__).resolve().parents[1])) not in sys.path:
    sys.path.insert(0, _PROJECT)

from labs.grading.plugin import (
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_ignore_collect,
)

__all__ = ["pytest_addoption", "pytest_collection_modifyitems", "pytest_configure", "pytest_ignore_collect"]
