"""What a review can be decided as.

| about | decided as | what follows |
|---|---|---|
| `residency` | a residency group, or `unknown` | the firmest evidence, until newer evidence contradicts it |
| `same_person` | `same` or `different` | they are merged; or are not asked about again |
| anything else | any words | it is closed with them, and this very question is not asked again |
"""

from collections.abc import Mapping

from enrollment_crm.domain.residency import Residency

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "residency": tuple(Residency),
    "same_person": ("same", "different"),
}


class InvalidDecisionError(ValueError):
    """A review cannot be decided like that; the message says how it can."""


def check_decision(about: str, decision: str) -> str:
    """The decision as it is kept.

    Raises:
        InvalidDecisionError: it is none that a review about this can have.
    """
    words = decision.strip()
    choices = _CHOICES.get(about)
    if choices is None:
        if not words:
            raise InvalidDecisionError("Say in a few words what was decided.")
        return words
    chosen = words.lower().replace(" ", "_").replace("-", "_")
    if chosen not in choices:
        raise InvalidDecisionError(f"A review about {about} is decided as one of {', '.join(choices)}.")
    return chosen
