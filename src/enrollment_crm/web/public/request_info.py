"""The request-info page: shown, filled in, committed to the inbox, thanked for."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import SQLAlchemyError

from enrollment_crm.web.public.consent_text import CONSENT_TEXTS, CURRENT_VERSION
from enrollment_crm.web.public.countries import countries
from enrollment_crm.web.public.pages import Pages, wants_json
from enrollment_crm.web.public.parts import PublicParts
from enrollment_crm.web.public.posted import read_fields
from enrollment_crm.web.public.signup_form import (
    HIDDEN_FIELDS,
    RESIDENCY_ANSWERS,
    Problem,
    blank_form,
    new_submission_token,
    problems_of,
    shown_again,
    suspicion_of,
)

PATH = "/request-info"
THANKS_PATH = f"{PATH}/thank-you"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RequestInfo:
    """The endpoints of the form. A thank-you is given only for what is committed."""

    parts: PublicParts
    pages: Pages

    def routes(self) -> APIRouter:
        """The routes of this page."""
        router = APIRouter()
        router.add_api_route(PATH, self.show, methods=["GET"])
        router.add_api_route(PATH, self.submit, methods=["POST"])
        router.add_api_route(THANKS_PATH, self.thank, methods=["GET"])
        return router

    def show(self, request: Request) -> Response:
        """An empty form with a fresh one-time token, for the program that the link names (``?program=``)."""
        program = request.query_params.get("program") or self.parts.default_program
        if program not in self.parts.programs:
            raise HTTPException(HTTPStatus.NOT_FOUND, "We have no program of that name: the link may be old.")
        page = f"{self.parts.public_url}{PATH}"
        return self._form(
            blank_form(program=program, page=page, query=request.query_params, shown_at=self.parts.stopwatch())
        )

    def submit(self, request: Request, fields: Annotated[dict[str, str], Depends(read_fields)]) -> Response:
        """Takes the form in, or shows it again with what the sender can mend."""
        if wait := self.parts.form_limits.client_must_wait(request):
            return self._too_many(request, fields, wait)
        problems = problems_of(fields)
        if problems:
            return self._to_mend(request, fields, problems)
        if wait := self.parts.form_limits.address_must_wait(fields):
            return self._too_many(request, fields, wait)
        return self._save(request, fields)

    def _save(self, request: Request, fields: Mapping[str, str]) -> Response:
        """A robot that was caught is thanked like everybody: its row is kept, with the note, for a person to see."""
        suspicion = suspicion_of(fields, sent_at=self.parts.stopwatch())
        row = {**fields, "submission": fields.get("submission") or new_submission_token(), **suspicion}
        try:
            row_id = self.parts.receive_form(row, self.parts.clock())
        except SQLAlchemyError as error:
            # The type only: the message of a database error repeats the person's data.
            _log.error("a form could not be saved: %s", type(error).__name__)
            return self._not_saved(request, row)
        _log.info("form received: inbox row %d, %d fields%s", row_id, len(row), ", sent too fast" if suspicion else "")
        if wants_json(request):
            return JSONResponse({"received": True}, HTTPStatus.ACCEPTED)
        return RedirectResponse(THANKS_PATH, HTTPStatus.SEE_OTHER)

    def thank(self) -> Response:
        """What happens next; the same for everyone."""
        return self.pages.render("thank_you.html")

    def _form(self, fields: Mapping[str, str], problems: tuple[Problem, ...] = ()) -> Response:
        named = fields.get("program", "")
        program = named if named in self.parts.programs else self.parts.default_program
        return self.pages.render(
            "request_info.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK,
            fields=shown_again(fields),
            hidden_fields=HIDDEN_FIELDS,
            problems={problem.field: problem.message for problem in problems},
            options=self.parts.request_info_options(program, self.parts.clock()),
            countries=countries(),
            residency_answers=RESIDENCY_ANSWERS,
            consent_text=CONSENT_TEXTS[CURRENT_VERSION],
        )

    def _to_mend(self, request: Request, fields: Mapping[str, str], problems: tuple[Problem, ...]) -> Response:
        if wants_json(request):
            named = {problem.field: problem.message for problem in problems}
            return JSONResponse({"received": False, "problems": named}, HTTPStatus.UNPROCESSABLE_ENTITY)
        return self._form(fields, problems)

    def _too_many(self, request: Request, fields: Mapping[str, str], wait_in_seconds: int) -> Response:
        """The answers come back inside the page; nothing was kept of them."""
        status, headers = HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(wait_in_seconds)}
        wait = _in_words(wait_in_seconds)
        if wants_json(request):
            words = f"Too many forms came from you. Send the same body again in {wait}."
            return JSONResponse({"received": False, "detail": words}, status, headers)
        page = self.pages.render("too_many.html", status=status, fields=fields, wait=wait)
        page.headers.update(headers)
        return page

    def _not_saved(self, request: Request, row: Mapping[str, str]) -> Response:
        """The answers come back inside the page, so that one button sends the same submission again."""
        status = HTTPStatus.SERVICE_UNAVAILABLE
        if wants_json(request):
            words = "We could not save this. Send the same body again in a minute: it counts once."
            return JSONResponse({"received": False, "detail": words, "submission": row["submission"]}, status)
        return self.pages.render("not_saved.html", status=status, fields=row)


def _in_words(seconds: int) -> str:
    """A wait as people say it, rounded up: an hour's limit lets go in minutes."""
    minutes = -(-seconds // 60)
    return "a minute" if minutes == 1 else f"{minutes} minutes"
