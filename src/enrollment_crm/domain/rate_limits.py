"""Rate limits: a bucket of tokens for each key, refilled steadily; whoever finds it empty is told how long to wait."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

#: Keys that are kept; the one that was used longest ago makes room. Each takes about 300 bytes.
_MOST_KEYS = 50_000


@dataclass(frozen=True)
class RateLimit:
    """So many at once, and so many again in a period of seconds, steadily."""

    at_most: int
    period_in_seconds: float


@dataclass
class RateLimiter:
    """The buckets of one limit, in the memory of one process; for several threads."""

    limit: RateLimit
    _buckets: OrderedDict[object, tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_for(self, key: object, *, at: float) -> float:
        """Take a token of the key: 0 where there was one, else in how many seconds there will be one.

        Args:
            key: whose bucket.
            at: seconds by any clock; where it goes back, no time has passed.
        """
        full, rate = float(self.limit.at_most), self.limit.at_most / self.limit.period_in_seconds
        with self._lock:
            tokens, since = self._buckets.pop(key, (full, at))
            tokens = min(full, tokens + max(0.0, at - since) * rate)
            wait = 0.0 if tokens >= 1 else (1 - tokens) / rate
            self._buckets[key] = (tokens - 1 if wait == 0 else tokens, at)
            if len(self._buckets) > _MOST_KEYS:
                self._buckets.popitem(last=False)
        return wait
