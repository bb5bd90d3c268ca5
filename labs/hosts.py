"""The warm parent that this process's clouds are forked from: one, and a new one if it died."""

import threading

from labs.cloud import Cloud, CloudGoneError, CloudHost, Pace


class Hosts:
    """Own the shared CloudHost. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._host: CloudHost | None = None
        self._closed = False

    def host(self) -> CloudHost:
        """Give the warm parent, started when it is first needed and again when it died. Raises OSError after close()."""
        with self._lock:
            if self._closed:
                raise OSError("no clouds are started any more")
            if self._host is not None and not self._host.alive:
                self._host.close()
                self._host = None
            if self._host is None:
                self._host = CloudHost()
            return self._host

    def start(self, *, seed: int, durations: str) -> Cloud:
        """Start a cloud at the present, its clock still paused. Raises OSError or CloudGoneError."""
        host = self.host()
        try:
            return Cloud(seed, pace=Pace.PAUSED, durations=durations, host=host)
        except (OSError, CloudGoneError):
            # The parent may have died since the last cloud, or just now.
            if host.ended(within=1.0):
                return Cloud(seed, pace=Pace.PAUSED, durations=durations, host=self.host())
            raise

    def close(self) -> None:
        """End the warm parent for good; its clouds end with their own owners."""
        with self._lock:
            self._closed = True
            host, self._host = self._host, None
        if host is not None:
            host.close()
