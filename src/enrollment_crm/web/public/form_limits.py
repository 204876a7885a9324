"""How often the form is taken: from one client, and for one email address.

The buckets are in the memory of the process. Measured beside each other, one post: 1.5 microseconds in memory, 700 in
PostgreSQL (a row that is locked, updated and committed). The app runs as one process; of several, each has its own
buckets, and a client gets that many times more. A restart fills them. Both are harmless: limits hold floods off, and
what is taken in twice is recognised anyway.
"""

import hashlib
import logging
import math
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.requests import Request

from enrollment_crm.domain.rate_limits import RateLimit, RateLimiter
from enrollment_crm.web.public.clients import TrustedProxies

_MINUTE, _HOUR = 60.0, 3600.0

_log = logging.getLogger(__name__)


@dataclass
class FormLimits:
    """The limits of the form. It remembers digests of email addresses, under a key that ends with the process."""

    posts_per_client_and_minute: int
    posts_per_address_and_hour: int
    proxies: TrustedProxies
    #: Seconds since 1970 by the real clock, also where the pipeline's clock is stopped.
    stopwatch: Callable[[], float]
    #: Posts that had to wait since the process started, by limit.
    limited: Counter[str] = field(default_factory=Counter)
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def __post_init__(self) -> None:
        self._clients = RateLimiter(RateLimit(self.posts_per_client_and_minute, _MINUTE))
        self._addresses = RateLimiter(RateLimit(self.posts_per_address_and_hour, _HOUR))

    def client_must_wait(self, request: Request) -> int:
        """How many seconds the client of this post must wait; 0: it need not."""
        if self.proxies.is_unnamed_proxy(request):
            self._warn_of_proxy()
        return self._wait(self._clients, "client", self.proxies.client_of(request))

    def address_must_wait(self, fields: Mapping[str, str]) -> int:
        """How many seconds this email address must wait; 0: it need not."""
        address = fields.get("email", "").strip().casefold()
        digest = hashlib.blake2b(address.encode("utf-8", "replace"), key=self._key, digest_size=16).digest()
        return self._wait(self._addresses, "address", digest)

    def _wait(self, limiter: RateLimiter, which: str, key: object) -> int:
        wait = math.ceil(limiter.wait_for(key, at=self.stopwatch()))
        if wait:
            self.limited[which] += 1
            _log.warning("form limited by %s, %d times since the start", which, self.limited[which])
        return wait

    def _warn_of_proxy(self) -> None:
        self.limited["unnamed proxy"] += 1
        if self.limited["unnamed proxy"] == 1:
            _log.warning(
                "A post has X-Forwarded-For, but CRM_TRUSTED_PROXIES does not name its sender. If that is your proxy, "
                "name it: until then all applicants behind it share the limit of one."
            )
