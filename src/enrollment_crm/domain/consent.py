"""Consent: on what ground somebody is written to, and how long it holds."""

from calendar import monthrange
from datetime import datetime
from enum import StrEnum

from enrollment_crm.domain.instants import check_aware

#: Countries whose law lets a consent that was only implied run out (Canada: CASL, section 10(10)).
WHERE_CONSENT_RUNS_OUT = ("CA",)
_MONTHS_OF_AN_INQUIRY = 6


class ConsentBasis(StrEnum):
    """The ground of a consent."""

    #: Said in so many words: a ticked box, a choice on the preference page. Holds until it is withdrawn.
    EXPRESS = "express"
    #: Implied by an inquiry or an application. Holds for six months where the law says so (CASL).
    INQUIRY = "inquiry"


def runs_out_at(basis: ConsentBasis, given_at: datetime) -> datetime | None:
    """When a consent of this basis ends; None: it does not. Six calendar months, to the last day of a shorter month."""
    check_aware(given_at)
    if basis is ConsentBasis.EXPRESS:
        return None
    months = given_at.month - 1 + _MONTHS_OF_AN_INQUIRY
    year, month = given_at.year + months // 12, months % 12 + 1
    return given_at.replace(year=year, month=month, day=min(given_at.day, monthrange(year, month)[1]))
