"""The preference page: topics and a pause, opened by a link of one's own, without a login."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from enrollment_crm.domain.preferences import PauseInvalid, Preferences
from enrollment_crm.domain.topics import TOPICS_IN_WORDS, Topic
from enrollment_crm.mail.personal_links import PersonalLink, PersonalLinkInvalid
from enrollment_crm.web.public.pages import Pages
from enrollment_crm.web.public.parts import PublicParts
from enrollment_crm.web.public.posted import read_fields

PATH = "/preferences/{token}"


@dataclass(frozen=True)
class PreferencePage:
    """The endpoints of a preference link. The page shows what was chosen, and nothing of who chose it."""

    parts: PublicParts
    pages: Pages

    def routes(self) -> APIRouter:
        """The routes of a preference link."""
        router = APIRouter()
        router.add_api_route(PATH, self.show, methods=["GET"])
        router.add_api_route(PATH, self.save, methods=["POST"])
        return router

    def show(self, token: str) -> Response:
        """The page as it was chosen last. Opening it changes nothing: scanners of mail follow every link."""
        try:
            person_id = self.parts.read_personal_token(PersonalLink.PREFERENCES, token)
        except PersonalLinkInvalid:
            return self._bad_link()
        chosen = self.parts.preferences(person_id, self.parts.clock())
        return self._page(chosen) if chosen else self._bad_link()

    async def save(self, token: str, request: Request) -> Response:
        """Keeps the choice and shows it; a choice that cannot be is given back with what to change."""
        return await run_in_threadpool(self._save, token, await read_fields(request))

    def _save(self, token: str, fields: Mapping[str, str]) -> Response:
        try:
            person_id = self.parts.read_personal_token(PersonalLink.PREFERENCES, token)
        except PersonalLinkInvalid:
            return self._bad_link()
        topics = frozenset() if "stop" in fields else frozenset(one for one in Topic if one.value in fields)
        pause = "" if "stop" in fields else fields.get("paused_until", "").strip()
        try:
            chosen = Preferences(topics, date.fromisoformat(pause) if pause else None)
            kept = self.parts.save_preferences(person_id, chosen, self.parts.clock())
        except PauseInvalid as error:
            return self._page(Preferences(topics, None), pause=pause, problem=str(error))
        except ValueError:
            words = "This is no date. Write it as year-month-day, such as 2027-01-15, or leave the field empty."
            return self._page(Preferences(topics, None), pause=pause, problem=words)
        return self._page(chosen, saved=True) if kept else self._bad_link()

    def _page(self, chosen: Preferences, *, pause: str = "", problem: str = "", saved: bool = False) -> Response:
        return self.pages.render(
            "preferences.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
            topics=[(topic.value, *words, topic in chosen.topics) for topic, words in TOPICS_IN_WORDS.items()],
            paused_until=pause or (chosen.paused_until.isoformat() if chosen.paused_until else ""),
            problem=problem,
            saved=saved,
            nothing=not chosen.topics,
        )

    def _bad_link(self) -> Response:
        return self.pages.problem(
            HTTPStatus.NOT_FOUND,
            "This link is not complete",
            "We could not tell whose emails this is about. Open the link in the email again, or copy it whole; "
            f"or write to {self.parts.sender_address}.",
        )
