"""What an owner may set of Lambda's limits, for the whole account."""

from dataclasses import dataclass

from labs.cloud import limits


@dataclass(frozen=True, slots=True)
class Quotas:
    """Settings of one account's Lambda. The requests per second of the account stay AWS's own, however few environments."""

    concurrency: int = limits.ACCOUNT_CONCURRENCY.value
    retry_base_s: float = float(limits.ASYNC_RETRY_BASE.value)
    scaling: int = limits.SCALING.value

    @property
    def unreserved_least(self) -> int:
        """Give how much has to stay unreserved: AWS's 100 of 1,000, in proportion, and at least one."""
        return max(1, self.concurrency * limits.UNRESERVED.value // limits.DEFAULT_CONCURRENCY.value)

    @property
    def account_requests(self) -> int:
        """Give the requests per second that all functions without reserved concurrency have together."""
        return limits.REQUESTS.value * max(self.concurrency, limits.DEFAULT_CONCURRENCY.value)
