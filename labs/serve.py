"""Start the app: see that the port is free, say where it is, and hand over to Streamlit."""

import errno
import os
import socket
import sys
from pathlib import Path

_PROJECT = Path(__file__).resolve().parent.parent


def serve(port: int, address: str) -> int:
    """Replace this process by the app. Return 2 when the port cannot be had."""
    try:
        host = socket.gethostbyname(address)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        print(_refusal(port, address, error), file=sys.stderr)
        return 2
    shown = "localhost" if host in ("127.0.0.1", "0.0.0.0") else address
    print(f"Serverless Lab / 서버리스 랩   http://{shown}:{port}", flush=True)
    options = [f"--server.port={port}", f"--server.address={host}", "--server.headless=true"]
    os.chdir(_PROJECT)
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", "app.py", *options])


def _refusal(port: int, address: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is in use: is the app running already? Open http://localhost:{port}, or choose another port: "
            f"make run PORT={port + 1}\n"
            f"{port} 포트를 이미 쓰고 있어요. 앱이 벌써 켜져 있나요? http://localhost:{port} 를 열어 보거나, "
            f"다른 포트로 켜 보세요: make run PORT={port + 1}"
        )
    return f"Cannot listen on {address}:{port}: {error.strerror}\n{address}:{port} 에서 연결을 받을 수 없어요: {error.strerror}"
