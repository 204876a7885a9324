"""Residency: which of the three groups a person's evidence puts them in.

It decides the final deadline. It is never a field that somebody fills in, but a conclusion from statements,
each with its source and the time when it was made; blank or contradictory evidence goes to a person for review.

What a member of staff decides is evidence as well, of the highest standing: everything that was said before is settled
by it. It holds until a source says something else than it had said by then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Residency(StrEnum):
    """The group that a final deadline is stated for."""

    #: Citizen or national, dual citizen, permanent resident, refugee or asylee of the United States.
    DOMESTIC = "domestic"
    #: Temporary resident, or a visa held, with a current address in the United States.
    INTERNATIONAL_INSIDE_US = "international_inside_us"
    #: Not of the United States, and not living there now.
    INTERNATIONAL_OUTSIDE_US = "international_outside_us"
    #: No evidence, or evidence that contradicts itself: the earliest date and neutral words (R2).
    UNKNOWN = "unknown"


#: The groups that deadlines are stated for; unknown is not one of them.
STATED_GROUPS = (
    Residency.DOMESTIC,
    Residency.INTERNATIONAL_INSIDE_US,
    Residency.INTERNATIONAL_OUTSIDE_US,
)


class Citizenship(StrEnum):
    """What a source says of a person's standing in the United States."""

    #: Citizen, national or dual citizen of the United States.
    CITIZEN = "citizen"
    #: Permanent resident of the United States.
    PERMANENT_RESIDENT = "permanent_resident"
    #: Refugee or asylee in the United States.
    REFUGEE = "refugee"
    #: Temporary resident of the United States.
    TEMPORARY_RESIDENT = "temporary_resident"
    #: Neither citizen nor resident of the United States.
    NONE_OF_THE_US = "none_of_the_us"


_SETTLED = (Citizenship.CITIZEN, Citizenship.PERMANENT_RESIDENT, Citizenship.REFUGEE)


#: The source of what members of staff decide.
STAFF = "staff"


class Confidence(StrEnum):
    """How firmly a conclusion stands; from the firmest."""

    #: A member of staff decided, and no source has said anything else since.
    DECIDED = "decided"
    #: Two sources or more lead to the group, and none to another.
    CORROBORATED = "corroborated"
    #: One source leads to it by citizenship, visa and address.
    DOCUMENTED = "documented"
    #: The person says so themselves, and nothing else does.
    STATED = "stated"
    #: The person's own answer is taken, but their own address speaks against it: somebody looks at it.
    CONTESTED = "contested"
    #: Nobody says enough, or sources contradict each other: the group is unknown.
    NONE = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class ResidencyEvidence:
    """What one source said of a person at one time; None where it said nothing."""

    source: str
    said_at: datetime
    #: The person's own answer to the residency question, or a decision of staff.
    stated: Residency | None = None
    citizenship: Citizenship | None = None
    holds_visa: bool | None = None
    #: ISO 3166 alpha-2 code of the current address.
    address_country: str | None = None

    @property
    def says_anything(self) -> bool:
        """Whether there is anything to keep."""
        said = (self.stated, self.citizenship, self.holds_visa, self.address_country)
        return said != (None, None, None, None)


@dataclass(frozen=True, slots=True)
class ResidencyConclusion:
    """The group that follows from the evidence, with the reason in words; ``to_review`` asks a person."""

    residency: Residency
    reason: str
    to_review: bool = False
    confidence: Confidence = Confidence.NONE


def conclude_residency(evidence: Sequence[ResidencyEvidence]) -> ResidencyConclusion:
    """The group that follows from all statements: what each source said last, which must not contradict each other."""
    decided = [one for one in evidence if one.source == STAFF and one.stated is not None]
    if not decided:
        return _conclude_sources(_said_last(evidence))
    decision = max(decided, key=lambda one: one.said_at)
    changed = _changed_since(decision.said_at, [one for one in evidence if one.source != STAFF])
    if not changed:
        return _conclude_decision(decision)
    is_open = decision.stated is Residency.UNKNOWN
    return _conclude_sources(changed if is_open else {STAFF: decision, **changed})


def _conclude_decision(decision: ResidencyEvidence) -> ResidencyConclusion:
    group = decision.stated or Residency.UNKNOWN
    how = f"decided by a person: {group.value}"
    return ResidencyConclusion(group, how, confidence=Confidence.DECIDED)


def _changed_since(at: datetime, evidence: Sequence[ResidencyEvidence]) -> dict[str, ResidencyEvidence]:
    """What sources say now that they had not said by then; the same answer in a newer export is none of it."""
    before = _said_last([one for one in evidence if one.said_at <= at])
    return {
        source: one
        for source, one in _said_last(evidence).items()
        if one.said_at > at and (source not in before or replace(one, said_at=before[source].said_at) != before[source])
    }


def _conclude_sources(newest: Mapping[str, ResidencyEvidence]) -> ResidencyConclusion:
    conclusions = {source: _conclude_statement(one) for source, one in newest.items()}
    for source, conclusion in conclusions.items():
        if conclusion.residency is Residency.UNKNOWN and conclusion.to_review and _says_something(newest[source]):
            return conclusion
    groups = {c.residency: source for source, c in conclusions.items() if c.residency is not Residency.UNKNOWN}
    if len(groups) > 1:
        said = "; ".join(f"{source} says {group.value}" for group, source in sorted(groups.items()))
        return ResidencyConclusion(Residency.UNKNOWN, f"the sources contradict each other: {said}", to_review=True)
    leading = [one for one in conclusions.values() if one.residency is not Residency.UNKNOWN]
    if not leading:
        return ResidencyConclusion(Residency.UNKNOWN, "no source says anything about residency", to_review=True)
    contested = next((one for one in leading if one.to_review), None)
    if contested or len(leading) == 1:
        return contested or leading[0]
    return replace(leading[0], confidence=Confidence.CORROBORATED)


def _said_last(evidence: Sequence[ResidencyEvidence]) -> dict[str, ResidencyEvidence]:
    """What each source says now: its newest answers; what it leaves blank erases nothing (R2)."""
    last: dict[str, ResidencyEvidence] = {}
    for one in sorted(evidence, key=lambda one: one.said_at):
        known = last.get(one.source)
        last[one.source] = (
            one
            if known is None
            else replace(
                one,
                stated=known.stated if one.stated is None else one.stated,
                citizenship=known.citizenship if one.citizenship is None else one.citizenship,
                holds_visa=known.holds_visa if one.holds_visa is None else one.holds_visa,
                address_country=known.address_country if one.address_country is None else one.address_country,
            )
        )
    return last


def _says_something(one: ResidencyEvidence) -> bool:
    return one.stated is not None or one.citizenship is not None or one.holds_visa is not None


def _conclude_statement(one: ResidencyEvidence) -> ResidencyConclusion:
    """The table of residency: rows in the order in which they are tried."""
    if one.stated is not None and one.stated is not Residency.UNKNOWN:
        return _conclude_stated(one, one.stated)
    if one.citizenship in _SETTLED:
        return _conclude_settled(one, one.citizenship)
    temporary = one.citizenship is Citizenship.TEMPORARY_RESIDENT or one.holds_visa is True
    foreign = temporary or one.citizenship is Citizenship.NONE_OF_THE_US
    if not foreign:
        return ResidencyConclusion(Residency.UNKNOWN, f"{one.source} leaves citizenship blank", to_review=True)
    if one.address_country is None:
        reason = f"{one.source} gives no current address"
        return ResidencyConclusion(Residency.UNKNOWN, reason, to_review=True)
    return _conclude_foreign(one, temporary=temporary, in_us=one.address_country == "US")


def _conclude_stated(one: ResidencyEvidence, stated: Residency) -> ResidencyConclusion:
    settled = one.citizenship in _SETTLED
    if one.citizenship is not None and settled is not (stated is Residency.DOMESTIC):
        reason = f"{one.source} says {stated.value} but also {one.citizenship.value}"
        return ResidencyConclusion(Residency.UNKNOWN, reason, to_review=True)
    if one.holds_visa and stated is Residency.DOMESTIC:
        reason = f"{one.source} says {stated.value} but also a visa"
        return ResidencyConclusion(Residency.UNKNOWN, reason, to_review=True)
    if _lives_elsewhere(one, stated):
        reason = f"{one.source}: own answer {stated.value}, but an address in {one.address_country}"
        return ResidencyConclusion(stated, reason, to_review=True, confidence=Confidence.CONTESTED)
    confidence = Confidence.STATED if one.citizenship is None else Confidence.DOCUMENTED
    return ResidencyConclusion(stated, f"{one.source}: own answer {stated.value}", confidence=confidence)


def _lives_elsewhere(one: ResidencyEvidence, stated: Residency) -> bool:
    """The address of the same source speaks against the answer. Citizens live wherever they like."""
    if one.address_country is None or stated is Residency.DOMESTIC:
        return False
    return (one.address_country == "US") is not (stated is Residency.INTERNATIONAL_INSIDE_US)


def _conclude_settled(one: ResidencyEvidence, citizenship: Citizenship) -> ResidencyConclusion:
    if one.holds_visa:
        reason = f"{one.source} says {citizenship.value} but also a visa"
        return ResidencyConclusion(Residency.UNKNOWN, reason, to_review=True)
    reason = f"{one.source}: {citizenship.value}"
    return ResidencyConclusion(Residency.DOMESTIC, reason, confidence=Confidence.DOCUMENTED)


def _conclude_foreign(one: ResidencyEvidence, *, temporary: bool, in_us: bool) -> ResidencyConclusion:
    if temporary and in_us:
        reason = f"{one.source}: temporary resident or visa, with an address in the US"
        return ResidencyConclusion(Residency.INTERNATIONAL_INSIDE_US, reason, confidence=Confidence.DOCUMENTED)
    if not temporary and not in_us:
        reason = f"{one.source}: not of the US, with an address outside the US"
        return ResidencyConclusion(Residency.INTERNATIONAL_OUTSIDE_US, reason, confidence=Confidence.DOCUMENTED)
    where = "an address in the US but no visa" if in_us else "a temporary residence or visa but an address abroad"
    return ResidencyConclusion(Residency.UNKNOWN, f"{one.source} says {where}", to_review=True)
