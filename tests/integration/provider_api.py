"""A local server of the Resend shape: ``POST /emails`` with keys, a window, answers as a test tells."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from werkzeug import Request, Response

KEY = "re_test_0123456789"


@dataclass
class ProviderApi:
    """What the provider knows: one message a key, and the answers it gives before it behaves."""

    #: Every message that would go out, in order.
    sent: list[dict[str, Any]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    #: Given instead, one a request; ``take and ...`` sends the message first.
    instead: list[Callable[[], Response] | str] = field(default_factory=list)
    _known: dict[str, tuple[Any, str]] = field(default_factory=dict)

    def __call__(self, request: Request) -> Response:
        """Answer one request as the documentation of the API says."""
        self.requests.append(request)
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return failure(401, "invalid_api_key", f"API key is invalid: {request.headers.get('Authorization')}")
        answer = self.instead.pop(0) if self.instead else "take"
        if callable(answer):
            return answer()
        taken = self._take(request)
        return taken if answer == "take" else failure(int(answer.rpartition(" ")[2]), "application_error", "later")

    def _take(self, request: Request) -> Response:
        key, body = request.headers["Idempotency-Key"], request.get_json()
        if key not in self._known:
            self._known[key] = (body, f"49a3999c-{len(self.sent)}")
            self.sent.append(body)
        if self._known[key][0] != body:
            return failure(409, "invalid_idempotent_request", "Same key, other payload")
        return Response(json.dumps({"id": self._known[key][1]}), 200, content_type="application/json")

    def forget_keys(self) -> None:
        """The window of the idempotency keys is over."""
        self._known.clear()


def failure(status: int, name: str, message: str, **headers: str) -> Response:
    """An error as the API words it."""
    body = json.dumps({"statusCode": status, "name": name, "message": message})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(body, status, headers=named, content_type="application/json")
