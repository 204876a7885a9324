"""The calendar feed of one person, at an address that nobody can guess."""

import hashlib
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from enrollment_crm.mail.personal_links import PersonalLink, PersonalLinkInvalid
from enrollment_crm.web.public.parts import PublicParts

PATH = "/calendar/{token}.ics"


@dataclass(frozen=True)
class CalendarFeed:
    """The endpoint that calendars ask every few hours."""

    parts: PublicParts

    def routes(self) -> APIRouter:
        """The route of a calendar link."""
        router = APIRouter()
        router.add_api_route(PATH, self.show, methods=["GET", "HEAD"])
        return router

    def show(self, token: str, request: Request) -> Response:
        """The dates as they are now; 304 where the calendar has them already, 410 where nobody is there any more."""
        try:
            person_id = self.parts.read_personal_token(PersonalLink.CALENDAR, token)
        except PersonalLinkInvalid:
            return PlainTextResponse("No calendar has this address: copy it whole.\n", HTTPStatus.NOT_FOUND)
        feed = self.parts.calendar_feed(person_id, self.parts.clock())
        if feed is None:
            return PlainTextResponse("This calendar is no more: remove it.\n", HTTPStatus.GONE)
        tag = f'"{hashlib.sha256(feed.encode()).hexdigest()[:32]}"'
        # A calendar that may keep nothing could not ask whether anything has changed.
        headers = {
            "ETag": tag,
            "Cache-Control": "private, no-cache",
            "Content-Disposition": 'inline; filename="deadlines.ics"',
        }
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(feed, media_type="text/calendar; charset=utf-8", headers=headers)
