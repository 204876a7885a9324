"""Stand-ins for the workflows behind the public site: real classes that keep what they are given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.preferences import Preferences, end_of_pause
from enrollment_crm.domain.topics import Topic
from enrollment_crm.domain.webhooks import WebhookSource, key_of
from enrollment_crm.mail.personal_links import PersonalLink, PersonalLinkInvalid
from enrollment_crm.mail.unsubscribe import UnsubscribeTokenInvalid
from enrollment_crm.storage.inbox import Kept
from enrollment_crm.web.public.clients import TrustedProxies
from enrollment_crm.web.public.form_limits import FormLimits
from enrollment_crm.web.public.parts import PublicParts
from enrollment_crm.workflows.request_info import PrepSessionOption, RequestInfoOptions

#: A Tuesday morning in Boston.
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)

#: The secrets of the one source that posts, the newer one first.
SECRETS = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")

OPTIONS = RequestInfoOptions(
    program_name="MS in Advanced and Intelligent Manufacturing",
    entry_terms=("spring 2027", "fall 2027", "spring 2028"),
    prep_sessions=(PrepSessionOption("prep-sessions-9", "Prep session, Friday, December 4, 10:00 a.m. Boston"),),
)


@dataclass
class Workflows:
    """Keeps forms and withdrawals in memory; ``failure`` is raised instead when it is set."""

    forms: list[dict[str, str]] = field(default_factory=list)
    withdrawals: list[tuple[int, str, datetime]] = field(default_factory=list)
    #: The rows of every event that a webhook brought, by its id.
    events: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    choices: list[tuple[int, Preferences, datetime]] = field(default_factory=list)
    #: What person 7 chose so far; None: nobody is there any more.
    chosen: Preferences | None = field(default_factory=lambda: Preferences(frozenset(Topic), None))
    #: The calendar of person 7; None: nobody is there any more.
    calendar: str | None = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
    failure: Exception | None = None
    #: Seconds since 1970 on the stopwatch; tests move it.
    seconds: float = NOW.timestamp()
    posts_per_client_and_minute: int = 60
    posts_per_address_and_hour: int = 10
    trusted_proxies: str = ""
    database_trouble: str | None = None

    def options(self, program: str, now: datetime) -> RequestInfoOptions:
        """What the page offers, by program."""
        self._fail()
        assert now == NOW
        return replace(OPTIONS, program_name="MS in Robotics") if program == "ms-robotics" else OPTIONS

    def receive_form(self, fields: Mapping[str, str], now: datetime) -> int:
        """Keeps the form; its id is its place."""
        self._fail()
        assert now == NOW
        self.forms.append(dict(fields))
        return len(self.forms)

    def read_token(self, token: str) -> tuple[int, str]:
        """Person 7 and deadlines for the token "good"."""
        if token != "good":
            raise UnsubscribeTokenInvalid("not from us")
        return 7, "deadlines"

    def unsubscribe(self, person_id: int, topic: str, now: datetime) -> None:
        """Keeps the withdrawal."""
        self._fail()
        self.withdrawals.append((person_id, topic, now))

    def read_personal_token(self, link: PersonalLink, token: str) -> int:
        """Person 7 for the token "good"."""
        if token != "good":
            raise PersonalLinkInvalid(link.value)
        return 7

    def preferences(self, person_id: int, now: datetime) -> Preferences | None:
        """What person 7 has chosen."""
        self._fail()
        assert (person_id, now) == (7, NOW)
        return self.chosen

    def save_preferences(self, person_id: int, chosen: Preferences, now: datetime) -> bool:
        """Keeps the choice, unless the pause cannot be."""
        self._fail()
        end_of_pause(chosen.paused_until, "America/New_York", now=now)
        self.choices.append((person_id, chosen, now))
        return self.chosen is not None

    def calendar_feed(self, person_id: int, now: datetime) -> str | None:
        """The calendar of person 7."""
        self._fail()
        assert (person_id, now) == (7, NOW)
        return self.calendar

    def receive_webhook(
        self, source: WebhookSource, event_id: str, rows: Sequence[Mapping[str, Any]], now: datetime
    ) -> Kept | None:
        """Keeps the rows of an event once."""
        self._fail()
        assert (source.source, now) == ("fair", NOW)
        if event_id in self.events:
            return None
        self.events[event_id] = list(rows)
        return Kept(new=len(rows), known=0)

    def database_problem(self) -> str | None:
        """The trouble that a test has set."""
        self._fail()
        return self.database_trouble

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure

    def parts(self) -> PublicParts:
        """A site over these workflows."""
        return PublicParts(
            default_program="ms-advanced-intelligent-manufacturing",
            programs={"ms-advanced-intelligent-manufacturing", "ms-robotics"},
            sender_name="Graduate Admissions",
            sender_address="admissions@crm.example",
            postal_address="360 Huntington Avenue, Boston, MA 02115, USA",
            public_url="https://crm.example",
            clock=lambda: NOW,
            stopwatch=lambda: self.seconds,
            request_info_options=self.options,
            form_limits=FormLimits(
                posts_per_client_and_minute=self.posts_per_client_and_minute,
                posts_per_address_and_hour=self.posts_per_address_and_hour,
                proxies=TrustedProxies.parse(self.trusted_proxies),
                stopwatch=lambda: self.seconds,
            ),
            receive_form=self.receive_form,
            read_unsubscribe_token=self.read_token,
            unsubscribe=self.unsubscribe,
            read_personal_token=self.read_personal_token,
            preferences=self.preferences,
            save_preferences=self.save_preferences,
            calendar_feed=self.calendar_feed,
            webhooks={"fair": WebhookSource("fair", RecordKind.SIGNUP, tuple(map(key_of, SECRETS)))},
            receive_webhook=self.receive_webhook,
            database_problem=self.database_problem,
        )
