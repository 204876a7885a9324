"""Webhooks: other systems post rows, signed by the Standard Webhooks specification.

A row is in the inbox, committed, before its sender hears 2xx. A sender repeats an event until it does.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from enrollment_crm.domain.webhooks import Envelope, WebhookSource, refusal_of
from enrollment_crm.sources.webhooks import BodyRefused, rows_in
from enrollment_crm.web.public.bodies import read_body
from enrollment_crm.web.public.parts import PublicParts
from enrollment_crm.web.public.problems import RETRY_LATER

PATH = "/webhooks/{source}"
#: Room for a thousand rows.
MAX_BODY_IN_BYTES = 1024 * 1024

_TOO_LARGE = f"The body is larger than {MAX_BODY_IN_BYTES // 1024} KB: send fewer rows in one post."
_NOT_TAKEN = "The signature, its time or its secret is not what we expect. Nothing was taken."

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Webhooks:
    """The endpoint of every source with ``transport: webhook``; of any other name there is none."""

    parts: PublicParts
    #: Posts that were refused since the process started, by source and reason.
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)

    def routes(self) -> APIRouter:
        """The route of all sources."""
        router = APIRouter()
        router.add_api_route(PATH, self.receive, methods=["POST"])
        return router

    async def receive(self, source: str, request: Request) -> Response:
        """Takes the rows of one event in. Whoever cannot sign learns nothing but that they cannot."""
        known = self.parts.webhooks.get(source)
        if known is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        body = await read_body(request, at_most=MAX_BODY_IN_BYTES, too_large=_TOO_LARGE)
        envelope = Envelope.of(request.headers)
        # By the real clock: senders know no other.
        arrived = datetime.fromtimestamp(self.parts.stopwatch(), UTC)
        refusal = refusal_of(envelope, body, keys=known.keys, now=arrived)
        if refusal is not None:
            self._count(known, refusal.value)
            return _answer(HTTPStatus.UNAUTHORIZED, detail=_NOT_TAKEN)
        try:
            rows = _rows_of(request.headers, body)
        except HTTPException as error:
            self._count(known, HTTPStatus(error.status_code).name.lower())
            return _answer(HTTPStatus(error.status_code), detail=error.detail)
        return await self._keep(known, envelope.event_id, rows)

    async def _keep(self, source: WebhookSource, event_id: str, rows: Sequence[Mapping[str, Any]]) -> Response:
        try:
            kept = await run_in_threadpool(self.parts.receive_webhook, source, event_id, rows, self.parts.clock())
        except SQLAlchemyError as error:
            # The type only: the message of a database error repeats the person's data.
            _log.error("webhook %s: an event could not be saved: %s", source.source, type(error).__name__)
            words = "We could not save this. Send the same event again later: it counts once."
            return _answer(HTTPStatus.SERVICE_UNAVAILABLE, RETRY_LATER, detail=words)
        if kept is None:
            _log.info("webhook %s: an event came again", source.source)
            return _answer(HTTPStatus.OK, received=True)
        _log.info("webhook %s: %d rows new, %d known", source.source, kept.new, kept.known)
        return _answer(HTTPStatus.OK, received=True)

    def _count(self, source: WebhookSource, reason: str) -> None:
        self.refused[source.source, reason] += 1
        times = self.refused[source.source, reason]
        _log.warning("webhook %s: refused, %s, %d times since the start", source.source, reason, times)


def _rows_of(headers: Mapping[str, str], body: bytes) -> list[Mapping[str, Any]]:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send JSON, with Content-Type: application/json.")
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send the body as it is, without Content-Encoding.")
    try:
        return rows_in(body)
    except BodyRefused as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, str(error)) from None


def _answer(status: HTTPStatus, headers: Mapping[str, str] | None = None, /, **content: object) -> Response:
    return JSONResponse(content, status, headers)
