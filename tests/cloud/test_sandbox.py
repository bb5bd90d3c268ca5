"""What a learner's code can and cannot do, in every tier that this machine has.

Every attempt here must do no harm where it succeeds: the sandbox may be broken, and the tests may run as root.
"""

import os
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from labs import doctor
from labs.cloud.functions import bubblewrap, sandbox
from labs.cloud.functions.sandbox import Tier
from tests.cloud.environments import MEGABYTE, available, running

ANSWER = "def handler(event, context):\n    return event\n"


@pytest.fixture(params=list(Tier), ids=lambda tier: tier.name.lower())
def tier(request: pytest.FixtureRequest) -> Tier:
    wanted: Tier = request.param
    return available(wanted)


@pytest.fixture(params=[Tier.CONFINED, Tier.ISOLATED], ids=lambda tier: tier.name.lower())
def confined(request: pytest.FixtureRequest) -> Tier:
    wanted: Tier = request.param
    return available(wanted)


def test_handler_answers(tier: Tier, tmp_path: Path) -> None:
    with running(tier, tmp_path, ANSWER) as environment:
        assert environment.invoke({"n": 1}) == {"n": 1}
        assert environment.invoke("다시") == "다시"
        assert environment.sandboxed.exit_status() is None
        assert environment.sandboxed.threads() >= 1
        assert 5 * MEGABYTE < environment.sandboxed.memory_bytes() < 100 * MEGABYTE


def test_environment_variables_are_lambdas(tier: Tier, tmp_path: Path) -> None:
    code = "import os\ndef handler(event, context):\n    return dict(os.environ) | {'cwd': os.getcwd(), 'hash': hash('a')}\n"
    variables = {"THUMBNAILS": "b", "PYTHONHASHSEED": "2"}
    with running(tier, tmp_path, code, environment=variables) as environment:
        found = environment.invoke()
    with running(tier, tmp_path, code, environment=variables) as environment:
        again = environment.invoke()
    assert isinstance(found, dict)
    assert isinstance(again, dict)
    assert found["hash"] == again["hash"]
    root = "/var/task" if tier is Tier.ISOLATED else str(tmp_path)
    assert (found["LAMBDA_TASK_ROOT"], found["cwd"]) == (root, root)
    assert (found["THUMBNAILS"], found["TZ"], found["LANG"]) == ("b", ":UTC", "en_US.UTF-8")
    known = {"PATH", "LD_LIBRARY_PATH", "LANG", "TZ", "LC_CTYPE", "TMPDIR", "THUMBNAILS", "cwd", "hash"}
    allowed = ("AWS_", "LAMBDA_", "PYTHON")
    assert {name for name in found if not name.startswith(allowed)} <= known


def test_paths_are_those_of_aws(tmp_path: Path) -> None:
    code = """
        import json, sys, boto3
        def handler(event, context):
            return [sys.path, json.__file__, boto3.__file__, open("/opt/data").read()]
    """
    layer = tmp_path / "layer"
    (layer / "python").mkdir(parents=True)
    (layer / "data").write_text("layer")
    available(Tier.ISOLATED)
    task = tmp_path / "task"
    task.mkdir()
    with running(Tier.ISOLATED, task, code, layers=(layer,)) as environment:
        found = environment.invoke()
    assert isinstance(found, list)
    path, json_file, boto3_file, data = found
    assert path[:3] == ["/var/task", "/opt/python", "/var/runtime"]
    assert json_file.startswith("/var/lang/lib/python3.")
    assert boto3_file == "/var/runtime/boto3/__init__.py"
    assert data == "layer"


def test_host_files_cannot_be_read_or_written(confined: Tier, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    task = tmp_path / "task"
    task.mkdir()
    code = """
        import os
        def reach(path):
            found = []
            opens = [lambda p, flags=flags: os.open(p, flags) for flags in (os.O_WRONLY, os.O_TMPFILE | os.O_RDWR)]
            for act in (os.listdir, lambda p: open(p).read(), *opens):
                try:
                    act(path)
                    found.append(path)
                except OSError:
                    pass
            return found
        def handler(event, context):
            return [found for path in event for found in reach(path)]
    """
    project = Path(__file__).parents[2]
    paths = ["/etc/shadow", "/root", "/home", str(Path.home()), str(project), str(project / "pyproject.toml"), str(secret)]
    paths += ["/proc/1/environ", "/proc/1/root", "/proc/1/mem", f"/proc/{os.getpid()}/environ", f"/proc/{os.getpid()}/cmdline"]
    with running(confined, task, code) as environment:
        assert environment.invoke(paths) == []


def test_own_files(confined: Tier, tmp_path: Path) -> None:
    code = """
        import os, shutil, tempfile
        def handler(event, context):
            with tempfile.NamedTemporaryFile(delete=False) as file:
                file.write(b"1")
            shutil.copy2(file.name, file.name + ".copy")
            os.makedirs(tempfile.gettempdir() + "/a/b")
            os.rename(file.name, tempfile.gettempdir() + "/a/b/c")
            refused = 0
            for path in ("handler.py", "new"):
                try:
                    open(os.path.join(os.environ["LAMBDA_TASK_ROOT"], path), "a")
                except OSError:
                    refused += 1
            return [open(tempfile.gettempdir() + "/a/b/c").read(), refused]
    """
    with running(confined, tmp_path, code) as environment:
        assert environment.invoke() == ["1", 2]


def test_modes_of_host_files_cannot_be_changed(confined: Tier, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    secret.chmod(0o600)
    task = tmp_path / "task"
    task.mkdir()
    code = "import os\ndef handler(event, context):\n    os.chmod(event, 0o777)\n"
    with running(confined, task, code) as environment:
        environment.post(str(secret))
    assert secret.stat().st_mode & 0o777 == 0o600


def test_nothing_of_the_host_can_be_connected_to(confined: Tier, tmp_path: Path) -> None:
    code = """
        import socket
        def handler(event, context):
            local, abstract = ("127.0.0.1", event["port"]), "\\0" + event["name"]
            tcp, udp = socket.SOCK_STREAM, socket.SOCK_DGRAM
            tries = {
                "tcp": (socket.AF_INET, tcp, 0, lambda s: s.connect(local)),
                "first send": (socket.AF_INET, tcp, 0, lambda s: s.sendto(b"x", 0x20000000, local)),
                "mptcp": (socket.AF_INET, tcp, 262, lambda s: s.connect(local)),
                "udp": (socket.AF_INET, udp, 0, lambda s: (s.connect(local), s.send(b"x"))),
                "abstract": (socket.AF_UNIX, tcp, 0, lambda s: s.connect(abstract)),
                "path": (socket.AF_UNIX, tcp, 0, lambda s: s.connect(event["path"])),
                "internet": (socket.AF_INET, tcp, 0, lambda s: s.connect(("192.0.2.1", 80))),
                "netlink": (16, socket.SOCK_RAW, 0, lambda s: s.bind((0, 0))),
            }
            reached = []
            for name, (family, kind, protocol, act) in tries.items():
                try:
                    with socket.socket(family, kind, protocol) as connection:
                        connection.settimeout(1)
                        act(connection)
                    reached.append(name)
                except TimeoutError:
                    reached.append(name)
                except OSError:
                    pass
            return reached
    """
    name = f"serverless-lab-{os.getpid()}"
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX) as abstract,
        socket.socket(socket.AF_UNIX) as path,
        running(confined, tmp_path, code) as environment,
    ):
        port = tcp.getsockname()[1]
        udp.bind(("127.0.0.1", port))
        udp.setblocking(False)
        abstract.bind("\0" + name)
        abstract.listen()
        path.bind(folder + "/socket")
        path.listen()
        reached = environment.invoke({"port": port, "name": name, "path": folder + "/socket"})
        tcp.setblocking(False)
        with pytest.raises(BlockingIOError):
            tcp.accept()
        with pytest.raises(BlockingIOError):
            udp.recv(10)
    # A datagram may be sent into a network that ends nowhere.
    assert reached in ([], ["udp"])


def test_environments_of_other_processes_cannot_be_seen(confined: Tier, tmp_path: Path) -> None:
    code = """
        import glob, os
        def handler(event, context):
            seen = [str(dict(os.environ))]
            for path in [*glob.glob("/proc/*/environ"), "/proc/1/environ", f"/proc/{event}/environ", "/proc/self/environ"]:
                try:
                    seen.append(open(path).read())
                except OSError:
                    pass
            return "".join(seen)
    """
    bystander = subprocess.Popen(["sleep", "60"], env={"SECRET": "do-not-show"})
    try:
        with running(confined, tmp_path, code, environment={"OWN": "mine"}) as environment:
            seen = environment.invoke(bystander.pid)
            outer = Path(f"/proc/{environment.sandboxed.pid}/environ").read_text()
    finally:
        bystander.kill()
        bystander.wait()
    assert isinstance(seen, str)
    assert "mine" in seen
    assert "do-not-show" not in seen
    # Bubblewrap's own environment would be readable, were it not for Landlock: there is nothing in it.
    assert {line.partition("=")[0] for line in outer.split("\0") if line} <= {
        *("PATH", "LANG", "TZ", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHASHSEED", "LC_CTYPE")
    }


def test_powers_are_gone(confined: Tier, tmp_path: Path) -> None:
    # Each call is one that would fail for another reason, or change nothing, if it were allowed.
    code = """
        import ctypes, errno, os
        libc = ctypes.CDLL(None, use_errno=True)
        def handler(event, context):
            calls = {
                "ptrace": lambda: libc.ptrace(16, 0x3fffffff, 0, 0),
                "mount": lambda: libc.mount(b"none", b"/no/such/folder", b"tmpfs", 0, None),
                "unshare": lambda: libc.unshare(0),
                "memfd_create": lambda: libc.memfd_create(b"x", 0),
                "shmget": lambda: libc.shmget(0, 0, 0o1600),
                "io_uring_setup": lambda: libc.syscall(425, 0, None),
                "keyctl": lambda: libc.syscall(250 if os.uname().machine == "x86_64" else 219, 0, -3, 0),
                "bpf": lambda: libc.syscall(321 if os.uname().machine == "x86_64" else 280, -1, None, 0),
                "TIOCSTI": lambda: libc.ioctl(0, 0x5412, b"x"),
            }
            allowed = []
            for name, call in calls.items():
                ctypes.set_errno(0)
                if call() != -1 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
                    allowed.append(name)
            if libc.kill(event, 0) == 0:
                allowed.append("signal to a process of the host")
            lines = open("/proc/self/status").read().splitlines()
            status = dict(line.split(":\\t") for line in lines if ":\\t" in line)
            return [allowed, [status[name] for name in ("CapEff", "CapPrm", "CapInh", "NoNewPrivs", "Seccomp")]]
    """
    with running(confined, tmp_path, code) as environment:
        none = "0" * 16
        assert environment.invoke(os.getpid()) == [[], [none, none, none, "1", "2"]]


def test_fork_and_exec_are_refused_on_the_host(tmp_path: Path) -> None:
    code = """
        import os, subprocess, threading
        def handler(event, context):
            thread = threading.Thread(target=lambda: None)
            thread.start()
            thread.join()
            refused = []
            for call in (os.fork, lambda: subprocess.run(["/bin/true"]), lambda: os.execv("/bin/true", ["true"]),
                         lambda: os.posix_spawn("/bin/true", ["true"], {}), lambda: os.kill(os.getppid(), 0)):
                try:
                    call()
                except PermissionError:
                    refused.append(1)
            return len(refused)
    """
    available(Tier.CONFINED)
    with running(Tier.CONFINED, tmp_path, code) as environment:
        assert environment.invoke() == 5


def test_nothing_of_the_learner_runs_before_the_confinement(confined: Tier, tmp_path: Path) -> None:
    escape = f"import pathlib\npathlib.Path({str(tmp_path / 'escaped')!r}).touch()\n"
    task = tmp_path / "task"
    task.mkdir()
    for name in ("sitecustomize", "usercustomize", "json", "array", "confine", "seccomp", "landlockpy", "virtual_time"):
        (task / f"{name}.py").write_text(escape)
    names = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "LD_PRELOAD", "LD_LIBRARY_PATH")
    places = {name: str(task if confined is Tier.CONFINED else bubblewrap.TASK) for name in names}
    with running(confined, task, ANSWER, environment=places) as environment:
        assert environment.invoke(1) == 1
    assert not (tmp_path / "escaped").exists()


def test_doctor_names_the_tier_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.report().splitlines()[0] == f"tier {sandbox.probe().tier.value}"
    found = sandbox.TierReport(Tier.CONFINED, "tier 2: bubblewrap is not installed", sandbox.INSTALL_BUBBLEWRAP)
    monkeypatch.setattr(doctor, "probe", lambda: found)
    report = doctor.report()
    assert report.startswith("tier 1\n")
    assert "apt install bubblewrap" in report
    assert "설치하세요" in report
