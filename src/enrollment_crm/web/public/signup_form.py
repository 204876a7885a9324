"""The request-info form as data: a blank one, and what its sender can mend.

The names of its fields are the keys of the raw row in the inbox; every value is a string.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from enrollment_crm.domain.residency import Residency
from enrollment_crm.web.public.consent_text import CURRENT_VERSION

#: Answers to the residency question in the order of the page; the empty one is no statement at all.
RESIDENCY_ANSWERS = (
    (
        Residency.DOMESTIC.value,
        "U.S. citizen, national or permanent resident",
        "Also with refugee or asylee status, or as a dual citizen",
    ),
    (
        Residency.INTERNATIONAL_INSIDE_US.value,
        "International, living in the United States now",
        "For example on a student, work or exchange visa",
    ),
    (Residency.INTERNATIONAL_OUTSIDE_US.value, "International, living outside the United States now", ""),
    ("", "Not sure, or I prefer not to say", ""),
)

#: Field of the form -> parameter of the link that led here.
CAMPAIGN_FIELDS = {
    "campaign": "utm_campaign",
    "utm_source": "utm_source",
    "utm_medium": "utm_medium",
    "utm_term": "utm_term",
    "utm_content": "utm_content",
}

#: What the page sends along unseen; ``website`` is a trap, hidden from people but not from robots.
HIDDEN_FIELDS = ("program", "consent_text_version", "page", "time_zone", "submission", "shown_at", *CAMPAIGN_FIELDS)

#: Every field of the page but the residency question, which has no answer until one is chosen.
_SHOWN_FIELDS = (
    "first_name",
    "last_name",
    "email",
    "phone",
    "country",
    "entry_term",
    "prep_session",
    "consent",
)
_FIELDS = (*_SHOWN_FIELDS, "website", *HIDDEN_FIELDS)

#: The value of a ticked consent box: nothing else is consent.
CONSENT_GIVEN = "yes"

#: Finds what was surely mistyped. Whether an address can receive mail is for validation to judge.
_LOOKS_LIKE_AN_ADDRESS = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")

#: Nobody reads the page, types a name and ticks a box in less, with whatever technology. There is no upper bound:
#: whoever takes hours is welcome.
_FASTEST_IN_SECONDS = 2.0
#: The note in the row of whoever was faster; ``sent_too_fast`` in expectations/signups.json puts it aside.
SUSPICION = "sent too fast"

#: Longer than any campaign name, short enough to be harmless in the page.
_CAMPAIGN_VALUE_LENGTH = 200


@dataclass(frozen=True)
class Problem:
    """One field that its sender can mend, and how."""

    field: str
    message: str


def blank_form(*, program: str, page: str, query: Mapping[str, str], shown_at: float) -> dict[str, str]:
    """The hidden values of a fresh form: one-time token, program, page and campaign of the link, and the instant.

    Args:
        program: the one that the page is about.
        page: address of the page.
        query: parameters of the link.
        shown_at: seconds since 1970 by the real clock.
    """
    campaign = {field: query.get(name, "") for field, name in CAMPAIGN_FIELDS.items()}
    shortened = {field: value[:_CAMPAIGN_VALUE_LENGTH] for field, value in campaign.items()}
    hidden = {"program": program, "page": page, "submission": new_submission_token(), "shown_at": f"{shown_at:.3f}"}
    return {**hidden, **shortened}


def new_submission_token() -> str:
    """A token by which a double click or a browser's retry is known to be the same submission."""
    return secrets.token_urlsafe(18)


def shown_again(fields: Mapping[str, str]) -> dict[str, str]:
    """The form with its answers kept; agreement is to the text on the page, so its version is today's."""
    return {**dict.fromkeys(_FIELDS, ""), **fields, "consent_text_version": CURRENT_VERSION}


def suspicion_of(fields: Mapping[str, str], *, sent_at: float) -> dict[str, str]:
    """A note for the row where the form was sent faster than people can; else nothing.

    A form without the instant, or with one that is still to come, says nothing: a program may have sent it, a page
    from before an update, or another machine whose clock is ahead.
    """
    try:
        seconds = sent_at - float(fields.get("shown_at", ""))
    except ValueError:
        return {}
    return {"suspicion": SUSPICION} if 0 <= seconds < _FASTEST_IN_SECONDS else {}


def problems_of(fields: Mapping[str, str]) -> tuple[Problem, ...]:
    """What the sender can mend here, in the order of the page. Everything else is taken as it is."""
    checks = (_name_problem(fields), _email_problem(fields), _consent_problem(fields))
    return tuple(problem for problem in checks if problem is not None)


def _name_problem(fields: Mapping[str, str]) -> Problem | None:
    if fields.get("first_name", "").strip() or fields.get("last_name", "").strip():
        return None
    return Problem("first_name", "Enter your first name. If you have one name only, enter it here.")


def _email_problem(fields: Mapping[str, str]) -> Problem | None:
    address = fields.get("email", "").strip()
    if not address:
        return Problem("email", "Enter your email address.")
    if not _LOOKS_LIKE_AN_ADDRESS.fullmatch(address):
        return Problem("email", "Enter an email address in the form name@example.com.")
    return None


def _consent_problem(fields: Mapping[str, str]) -> Problem | None:
    if fields.get("consent") == CONSENT_GIVEN:
        return None
    return Problem("consent", "Tick the box to agree to our emails: without it we cannot write to you.")
