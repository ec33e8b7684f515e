"""How often AWS may be asked, and how long to wait before it is asked again.

ECS counts calls by account and region in buckets of tokens ("Request throttling for the Amazon ECS API"), Fargate its
launches ("AWS Fargate throttling quotas": RunTask 20 a second, without a burst). Deployments draw on the same buckets
while we run, so of what changes something we take half.
"""

from __future__ import annotations

import random


class Bucket:
    """Tokens that come back at a rate. It starts full."""

    def __init__(self, burst: int, rate: float) -> None:
        self._burst, self.rate = float(burst), rate
        self._held = self._burst
        self._since: float | None = None

    def take(self, now: float) -> bool:
        self._refill(now)
        if self._held < 1 - 1e-6:
            return False
        self._held -= 1
        return True

    def due(self, now: float) -> float:
        """The instant of the next token."""
        self._refill(now)
        return now if self._held >= 1 - 1e-6 else now + (1 - self._held) / self.rate

    def _refill(self, now: float) -> None:
        if self._since is not None:
            self._held = min(self._burst, self._held + (now - self._since) * self.rate)
        self._since = now


def launches() -> Bucket:
    return Bucket(10, 10.0)


def stops() -> Bucket:
    """StopTask is a "cluster resource modify" operation: 100, and 40 a second."""
    return Bucket(50, 20.0)


def log_reads() -> Bucket:
    """GetLogEvents, of which CloudWatch Logs' quotas allow 10 a second; in some regions more."""
    return Bucket(10, 10.0)


def patience(attempt: int, *, shortest: float, longest: float) -> float:
    """Seconds before the next attempt, after the first one failed (1), the second (2): doubled, and by chance shorter,
    so that many who were refused together do not come back together."""
    whole = min(longest, shortest * 2.0 ** min(attempt - 1, 16))
    return whole * random.uniform(0.75, 1.0)
