"""Routing: which residency group, which owner, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from enrollment_crm.domain.programs import Counselor
from enrollment_crm.domain.residency import Residency, ResidencyEvidence, conclude_residency
from enrollment_crm.domain.terms import EntryTerm


@dataclass(frozen=True)
class Review:
    """Something that only a person can decide.

    ``about``: ``residency``, ``late_application``, ``unmapped_value`` or ``prep_session``; one question of each is open
    for a person.
    """

    about: str
    detail: str


@dataclass(frozen=True, slots=True)
class Route:
    """Where a person goes: the group, the member of staff who owns them, the reason, and what is to be reviewed."""

    residency: Residency
    owner: str
    reason: str
    reviews: tuple[Review, ...]


def route_person(
    evidence: Sequence[ResidencyEvidence],
    *,
    entry_terms: Sequence[EntryTerm | None],
    counselors: Mapping[Residency, Counselor],
) -> Route:
    """The route that follows from the evidence; unknown residency gets neutral treatment and a review.

    A missing entry term is no review: the welcome email asks for it (R2).
    """
    conclusion = conclude_residency(evidence)
    reviews = (Review("residency", conclusion.reason),) if conclusion.to_review else ()
    terms = ", ".join(str(term) for term in entry_terms if term is not None) or "entry term not known yet"
    return Route(
        residency=conclusion.residency,
        owner=counselors[conclusion.residency].key,
        reason=f"{terms}; {conclusion.reason}",
        reviews=reviews,
    )


def unmapped_values(source: str, unrecognised: Mapping[str, str]) -> list[Review]:
    """One review that names every value of a row that nobody has given a meaning yet; none where there is none."""
    if not unrecognised:
        return []
    said = "; ".join(f"{value!r} as {field}" for field, value in unrecognised.items())
    return [Review("unmapped_value", f"{source} says {said}: give it a meaning in the value map")]
