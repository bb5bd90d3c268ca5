"""Turn a fresh interpreter into an execution environment: listeners, confinement, clock, then AWS's runtime client.

Started as `python -S stage1.py <control fd>`. The host writes the configuration to the control socket; we answer with
the listening sockets and a report, and close it before any code of the learner can run. Modules that the learner may
want to import are not imported here, so that the cost of importing them stays where it belongs.
"""

from __future__ import annotations

import _socket
import array
import json
import os
import site
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn, TextIO, TypedDict

    class Config(TypedDict):
        """What the host decides."""

        tier: int
        handler: str
        environment: dict[str, str]
        task_root: str
        layer: str | None
        user: tuple[int, int] | None
        memory_mb: int
        file_mb: int
        processes: int
        readable: list[str]
        writable: list[str]
        ports: list[int]
        clock_fd: int | None
        seed: int


def _receive(control: _socket.socket) -> Config:
    data = b""
    while not data.endswith(b"\n"):
        piece = control.recv(65536)
        if not piece:
            os._exit(1)
        data += piece
    config: Config = json.loads(data)
    return config


def _listeners(control: _socket.socket, ports: list[int]) -> None:
    """Open the two doors in our own network namespace and hand them to the host."""
    doors = []
    for port in ports:
        door = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        door.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        door.bind(("127.0.0.1", port))
        door.listen(64)
        doors.append(door)
    descriptors = array.array("i", [door.fileno() for door in doors])
    control.sendmsg([b"\n"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, descriptors)])
    for door in doors:
        door.close()


def _confine(config: Config) -> dict[str, int]:
    import confine

    isolated, required = config["tier"] == 2, config["tier"] > 0
    report = {"landlock": 0}
    if config["user"] is not None:
        confine.become(*config["user"])
    elif sys.platform == "linux" and not isolated:
        confine.follow_parent()
    if required and os.geteuid() == 0:
        confine.drop_capabilities()
    confine.limit(config["memory_mb"], config["file_mb"], config["processes"], required=required)
    if required:
        import seccomp

        ports = None if isolated else config["ports"]
        report["landlock"] = confine.landlock(config["readable"], config["writable"], ports)
        seccomp.install(alone=not isolated)
    return report


def _furnish(config: Config) -> None:
    """Put the learner's environment variables and module path in place."""
    os.environ.clear()
    os.environ.update(config["environment"])
    time.tzset()
    os.chdir(config["task_root"])
    # What the site module would have added, without the .pth files and site-packages of the machine.
    site.setquit()
    site.setcopyright()
    site.sethelper()
    # Our own folder comes last, so that the native runtime client wins and no name of ours hides one of the learner.
    sys.path.append(sys.path.pop(0))


class _OneEvent:
    """Let the lines of one print stay together: Lambda makes one log event of them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        # The host turns carriage returns back; what ends the text ends the event.
        body = text.rstrip("\n")
        return self._stream.write(body.replace("\n", "\r") + text[len(body) :])

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def _learners_path(config: Config) -> list[str]:
    path = [config["task_root"]]
    if config["layer"] is not None:
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        python = os.path.join(config["layer"], "python")
        path += [folder for folder in (f"{python}/lib/{version}/site-packages", python) if os.path.isdir(folder)]
    own = config["environment"].get("PYTHONPATH", "").split(":")
    return path + [folder for folder in own if folder and folder not in sys.path]


def main() -> NoReturn:
    """Become the execution environment."""
    control = _socket.socket(fileno=int(sys.argv[1]))
    config = _receive(control)
    # Bubblewrap leaves descriptors of its own open.
    kept = sorted({2, control.fileno(), 2 if config["clock_fd"] is None else config["clock_fd"]})
    for low, high in zip(kept, [*kept[1:], 1024], strict=True):
        os.closerange(low + 1, high)
    try:
        if config["tier"] == 2:
            _listeners(control, config["ports"])
        report: dict[str, object] = {**_confine(config)}
    except Exception as error:
        report = {"error": f"{type(error).__name__}: {error}"}
    control.sendall(json.dumps(report).encode() + b"\n")
    control.close()
    if "error" in report:
        os._exit(1)
    _furnish(config)
    if config["clock_fd"] is not None:
        import virtual_time

        virtual_time.install(config["clock_fd"], config["environment"]["AWS_LAMBDA_RUNTIME_API"], config["seed"])
    from awslambdaric.__main__ import main as run

    vars(sys)["stdout"] = _OneEvent(sys.stdout)
    for name in ("confine", "seccomp"):
        sys.modules.pop(name, None)
    sys.argv[1:] = []
    sys.path[:0] = _learners_path(config)
    run(["awslambdaric", config["handler"]])
    sys.exit(0)


main()
