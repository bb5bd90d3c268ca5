"""What all tests share: a warm parent of clouds."""

from collections.abc import Iterator

import pytest

from labs.cloud import CloudHost


@pytest.fixture(scope="session")
def host() -> Iterator[CloudHost]:
    """Give a warm parent from which a cloud takes milliseconds to start."""
    with CloudHost() as warm:
        yield warm
