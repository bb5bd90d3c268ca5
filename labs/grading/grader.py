"""The grader process: it reads a packed submission from stdin and tells its findings over a socket that nobody else has.

Nothing in it can be written by a learner: not its folder, not sys.path, not its options, not its environment.
"""

import json
import os
import socket
import sys
from pathlib import Path

from labs.cloud import CloudHost
from labs.cloud.host import clean_environment
from labs.cloud.trace import JSON

PROJECT = Path(__file__).resolve().parents[2]
# -P and -s leave out the working folder and the user's own packages; the rest of -I would also ignore PYTHONHASHSEED.
COMMAND = [
    *(sys.executable, "-P", "-s", "-c"),
    "import sys; sys.path.insert(0, sys.argv[1]); from labs.grading import grader; grader.main(sys.argv[2:])",
    str(PROJECT),
]


def environment() -> dict[str, str]:
    """Give the grader's environment variables."""
    return {
        **clean_environment(),
        "PYTHONUTF8": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def main(arguments: list[str]) -> None:
    """Grade the package on stdin: lab folder, seed, descriptor of the channel, descriptor of a warm host or -1."""
    folder, seed, channel, shared = arguments
    # What is started from here on must not be able to speak for the grader.
    os.set_inheritable(int(channel), False)
    join = int(shared) if int(shared) >= 0 else None
    if join is not None:
        os.set_inheritable(join, False)
    from labs.grading.clouds import NICE

    os.nice(NICE)
    with socket.socket(fileno=int(channel)) as parent, CloudHost(join=join) as host:
        package = sys.stdin.buffer.read()
        # Importing pytest takes a while, in which the host gets ready.
        from labs.grading import plugin
        from labs.model import load

        def tell(kind: str, body: JSON) -> None:
            parent.sendall(json.dumps({kind: body}).encode() + b"\n")

        grading = plugin.serve(load(Path(folder)), package, int(seed), host, lambda result: tell("check", result.to_json()))
        reason = None if grading.reason is None else grading.reason.to_json()
        tell("end", {"reason": reason, "tier": grading.tier})
