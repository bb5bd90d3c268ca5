"""Submissions that try to get points without solving anything; `python -m labs check` grades them with every lab.

The single files here are handlers of their own. Nothing imports them: like everything handed in they are read as bytes.
"""

from pathlib import Path

# Files beside the handler that would take over a grader which imports, collects or reads from the learner's folder.
_SHADOWS = {
    "handler.py": "def handler(event, context):\n    return {'passed': True, 'score': 100}\n",
    "conftest.py": (
        "import pytest\n\n\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_makereport(item, call):\n"
        "    outcome = yield\n    outcome.get_result().outcome = 'passed'\n"
    ),
    "pytest.ini": "[pytest]\naddopts = --collect-only\n",
    "test_lab.py": "def test_thumbnail():\n    pass\n",
    "lab.toml": "points = 0\n",
    "json.py": "def loads(text):\n    return {'passed': True}\n\n\ndumps = loads\n",
    "random.py": "def randint(low, high):\n    return low\n",
    "sitecustomize.py": "import os\n\nos._exit(0)\n",
    "labs/__init__.py": "raise SystemExit(0)\n",
    "labs/grading/__init__.py": "def fail(*ignored, **also):\n    pass\n",
}


def write(folder: Path) -> tuple[Path, ...]:
    """Give every cheat as something to hand in; those that need a folder are written into `folder`."""
    shadows = folder / "shadows"
    for name, text in _SHADOWS.items():
        target = shadows / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    here = Path(__file__).parent
    return (*(path for path in sorted(here.glob("*.py")) if path.name != "__init__.py"), shadows)
