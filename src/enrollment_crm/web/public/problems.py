"""Errors as answers: a page in words for people, the same words as JSON for programs."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from enrollment_crm.web.public.pages import Pages, wants_json

_log = logging.getLogger(__name__)

_TITLES = {
    HTTPStatus.BAD_REQUEST: "We could not read that",
    HTTPStatus.NOT_FOUND: "There is no such page",
    HTTPStatus.METHOD_NOT_ALLOWED: "That cannot be done here",
    HTTPStatus.REQUEST_TIMEOUT: "That took too long",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "That is too much",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "We could not read that",
    HTTPStatus.SERVICE_UNAVAILABLE: "We cannot do this right now",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong on our side",
}
_WORDS = {
    HTTPStatus.NOT_FOUND: "The address may be mistyped, or the page has moved.",
    HTTPStatus.METHOD_NOT_ALLOWED: "Please go back and use the links and buttons of the page.",
}
#: A minute: long enough for a database to come back, short enough for a person to wait.
RETRY_LATER = {"Retry-After": "60"}


@dataclass(frozen=True)
class Problems:
    """The handlers of every error that a route does not answer itself."""

    pages: Pages

    def install(self, app: FastAPI) -> None:
        """From here on, no error leaves the app as a bare status or a trace."""
        app.add_exception_handler(HTTPException, self.refused)
        app.add_exception_handler(SQLAlchemyError, self.database_failed)
        app.add_exception_handler(Exception, self.crashed)

    def refused(self, request: Request, error: Exception) -> Response:
        """What the client did wrong, in the words of the refusal or else those of its status."""
        if not isinstance(error, HTTPException):
            raise error
        status = HTTPStatus(error.status_code)
        words = error.detail if error.detail != status.phrase else _WORDS.get(status, status.description)
        return self._answer(request, status, words, error.headers)

    def database_failed(self, request: Request, error: Exception) -> Response:
        """The database is down or did not answer: worth another try."""
        # The type only: the message of a database error repeats the person's data.
        _log.error("the database failed: %s", type(error).__name__)
        words = "We cannot reach our records. Please try again in a few minutes."
        return self._answer(request, HTTPStatus.SERVICE_UNAVAILABLE, words, RETRY_LATER)

    def crashed(self, request: Request, _error: Exception) -> Response:
        """A fault of ours; the server writes the trace to its log."""
        words = "We have made a note of it. Please try again in a few minutes."
        return self._answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, words)

    def _answer(
        self, request: Request, status: HTTPStatus, words: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        if wants_json(request):
            return JSONResponse({"detail": words}, status, headers)
        page = self.pages.problem(status, _TITLES.get(status, status.phrase), words)
        page.headers.update(headers or {})
        return page
