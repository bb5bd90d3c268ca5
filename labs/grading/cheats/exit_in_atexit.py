"""Change the exit status at the very end."""

import atexit
import os

atexit.register(os._exit, 0)


def handler(event: object, context: object) -> None:
    raise SystemExit(0)
