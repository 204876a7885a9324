"""Intake: what the signups of one person change, decided one after the other from what is known of them.

Nothing is read or written here. A batch knows each of its people once, decides every row of theirs in the order in
which it happened, and then writes what has changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, TypeAlias

from enrollment_crm.domain.people import Contact, Details, bring_up_to_date
from enrollment_crm.domain.residency import ResidencyEvidence
from enrollment_crm.domain.routing import Review, unmapped_values
from enrollment_crm.domain.signups import Signup
from enrollment_crm.domain.zones import ZoneChoice

#: A program, and an entry term such as ``fall 2027``; None: not known yet (R2).
InterestKey: TypeAlias = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Interest:
    """What is known of one interest."""

    #: When it reached the pipeline (R5).
    since: datetime
    #: Its last turn (R6).
    changed_at: datetime
    #: Whether the person asked for information, or came by an application.
    asked_for_information: bool
    #: It comes from a record that was merged into this one, and from nothing that they said themselves.
    is_copied: bool = False


class Consent(NamedTuple):
    """A consent as it is proven; ``submission``: the name of the signup in its source, where it has one."""

    source: str
    submission: str | None
    text_version: str
    page: str
    given_at: datetime


class Named(NamedTuple):
    """What a source calls a person, by its own clock, and when we heard of it."""

    source: str
    reference: str
    said_at: datetime
    received_at: datetime


class Evidence(NamedTuple):
    """A statement about residency, and when it reached us."""

    statement: ResidencyEvidence
    received_at: datetime


class Happened(NamedTuple):
    """A signup that was received, by the source's own clock, with the id of its raw row."""

    occurred_at: datetime
    inbox_id: int


@dataclass(frozen=True)
class Office:
    """What every decision goes by: zones of countries, the program of who names none, sessions that take people."""

    country_zones: Mapping[str, str]
    default_program: str
    #: Id of a session that is not cancelled -> when it begins.
    sessions: Mapping[str, datetime]


@dataclass(slots=True)
class Dossier:
    """One person: what is known of them, and what the rows of a batch add to it."""

    #: The address and the arrival of the first row, for who is new.
    contact: Contact
    arrived_at: datetime
    #: None: nobody knew them.
    person_id: int | None = None
    details: Details = field(default_factory=Details)
    interests: dict[InterestKey, Interest] = field(default_factory=dict)
    #: Topic -> when it was withdrawn from; those that have not been lifted.
    unsubscribed: dict[str, datetime] = field(default_factory=dict)
    #: They want nothing but answers for a while; a new consent ends that.
    is_paused: bool = False
    #: By which a consent that is delivered again is recognised: its source, with its time, and with its name.
    consents_known: set[tuple[str, datetime | str]] = field(default_factory=set)

    #: What was chosen instead of a zone that does not exist.
    zones_instead: list[ZoneChoice] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    references: list[Named] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    #: Topic -> when it was lifted.
    lifted: dict[str, datetime] = field(default_factory=dict)
    #: A consent has ended a pause.
    is_resumed: bool = False
    #: Id of a session -> when they registered.
    registrations: dict[str, datetime] = field(default_factory=dict)
    #: What it is about -> what only a person can decide.
    reviews: dict[str, Review] = field(default_factory=dict)
    events: list[Happened] = field(default_factory=list)


def take_signup(dossier: Dossier, signup: Signup, contact: Contact, *, inbox_id: int, office: Office) -> None:
    """Take one signup into the dossier of the person who made it."""
    _update_details(dossier, contact, signup.received_at, office.country_zones)
    term = str(signup.entry_term) if signup.entry_term else None
    _add_interest(dossier.interests, (signup.program or office.default_program, term), signup.received_at)
    if signup.residency_evidence.says_anything:
        dossier.evidence.append(Evidence(signup.residency_evidence, signup.received_at))
    if signup.person_reference:
        said_at = min(signup.occurred_at, signup.received_at)
        dossier.references.append(Named(signup.source, signup.person_reference, said_at, signup.received_at))
    _take_consent(dossier, signup)
    for review in unmapped_values(signup.source, signup.unrecognised):
        dossier.reviews[review.about] = review
    if signup.prep_session:
        _register(dossier, signup.prep_session, signup.received_at, office.sessions)
    dossier.events.append(Happened(signup.occurred_at, inbox_id))


def _update_details(dossier: Dossier, contact: Contact, at: datetime, country_zones: Mapping[str, str]) -> None:
    known = dossier.details
    news = contact.facts(received_at=at)
    dossier.details, instead = bring_up_to_date(known, news, country_zones=country_zones)
    if instead:
        dossier.zones_instead.append(instead)
    if dossier.details.zone != known.zone:
        _turn(dossier.interests, at)


def _turn(interests: dict[InterestKey, Interest], at: datetime) -> None:
    """Something changed for this person, whatever they are interested in (R6)."""
    for key, one in interests.items():
        if one.changed_at < at:
            interests[key] = replace(one, changed_at=at)


def _add_interest(interests: dict[InterestKey, Interest], key: InterestKey, since: datetime) -> None:
    """Add what somebody asks information about; a known term replaces an unknown one of the same program.

    An earlier arrival that is loaded later counts: who was there before a point was there (R5).
    """
    program, term = key
    if term is None:
        theirs = [known for known in interests if known[0] == program]
        if theirs:
            _ask_about_first(interests, theirs)
            return
    else:
        interests.pop((program, None), None)
    known = interests.get(key)
    if known is None:
        interests[key] = Interest(since, since, asked_for_information=True)
    else:
        interests[key] = replace(known, since=min(known.since, since), asked_for_information=True, is_copied=False)


def _ask_about_first(interests: dict[InterestKey, Interest], known: Sequence[InterestKey]) -> None:
    """Who names no term asks about the first that is known of them, by an application, unless they have asked before.

    As if they had asked before the application came: the order of the two makes no difference.
    """
    if not any(interests[key].asked_for_information for key in known):
        first = min(known, key=lambda key: interests[key].since)
        interests[first] = replace(interests[first], asked_for_information=True)


def _take_consent(dossier: Dossier, signup: Signup) -> None:
    """Keep the proof of a consent, and lift an unsubscription or a pause that is older (R7).

    A submission that is delivered again is no new consent, whatever else its row says by now, and whenever it arrives.
    """
    # What was agreed to before an unsubscription does not lift it, however late the row reaches us.
    given_at = min(signup.occurred_at, signup.received_at)
    marks: set[tuple[str, datetime | str]] = {(signup.source, given_at)}
    if signup.submission:
        marks.add((signup.source, signup.submission))
    if not marks.isdisjoint(dossier.consents_known):
        return
    dossier.consents_known |= marks
    text_version, page = signup.consent_text_version or "", signup.page or ""
    dossier.consents.append(Consent(signup.source, signup.submission, text_version, page, given_at))
    lifted = [topic for topic, at in dossier.unsubscribed.items() if at <= given_at]
    for topic in lifted:
        del dossier.unsubscribed[topic]
        dossier.lifted[topic] = given_at
    if lifted or dossier.is_paused:
        _turn(dossier.interests, signup.received_at)
    dossier.is_paused, dossier.is_resumed = False, dossier.is_resumed or dossier.is_paused


def _register(dossier: Dossier, session: str, at: datetime, sessions: Mapping[str, datetime]) -> None:
    starts = sessions.get(session)
    if starts is not None and starts > at:
        dossier.registrations.setdefault(session, at)
    else:
        detail = f"asked for session {session!r}, which is unknown, over or cancelled"
        dossier.reviews["prep_session"] = Review("prep_session", detail)
