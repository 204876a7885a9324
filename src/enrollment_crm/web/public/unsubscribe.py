"""The way out of our emails: RFC 8058 one-click, and the same by hand."""

from dataclasses import dataclass
from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import Response

from enrollment_crm.mail.unsubscribe import UnsubscribeTokenInvalid
from enrollment_crm.web.public.pages import Pages
from enrollment_crm.web.public.parts import PublicParts

PATH = "/unsubscribe/{token}"


@dataclass(frozen=True)
class Unsubscribe:
    """The endpoints of an unsubscribe link: no cookie, redirect or login; the same however often used."""

    parts: PublicParts
    pages: Pages

    def routes(self) -> APIRouter:
        """The routes of an unsubscribe link."""
        router = APIRouter()
        router.add_api_route(PATH, self.ask, methods=["GET"])
        router.add_api_route(PATH, self.unsubscribe, methods=["POST"])
        return router

    def ask(self, token: str) -> Response:
        """A page with a button. It changes nothing: scanners of mail follow every link."""
        try:
            self.parts.read_unsubscribe_token(token)
        except UnsubscribeTokenInvalid:
            return self._bad_link()
        return self.pages.render("unsubscribe.html")

    def unsubscribe(self, token: str) -> Response:
        """Withdraws the consent that the token names. The body says nothing that the method does not."""
        try:
            person_id, topic = self.parts.read_unsubscribe_token(token)
        except UnsubscribeTokenInvalid:
            return self._bad_link()
        self.parts.unsubscribe(person_id, topic, self.parts.clock())
        return self.pages.render("unsubscribed.html")

    def _bad_link(self) -> Response:
        return self.pages.problem(
            HTTPStatus.NOT_FOUND,
            "This link is not complete",
            "We could not tell whose emails to stop. Open the link in the email again, or copy it whole; "
            f"or write to {self.parts.sender_address} and we will stop them for you.",
        )
