"""What a look at the mail setup found: one line a matter, with what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a matter stands."""

    #: As it must be.
    OK = "ok"
    #: It works, but mail may end as spam, or nobody would notice a fault.
    WARNING = "warning"
    #: Mail does not arrive, breaks a rule of the inbox, or the pipeline does not run.
    PROBLEM = "problem"
    #: Nobody answered: whether it is right is not known.
    NOT_ASKED = "could_not_be_asked"


@dataclass(frozen=True, slots=True)
class SetupCheck:
    """One matter: how it stands, what was found, and what to do; ``remedy`` is empty where nothing is."""

    matter: str
    verdict: Verdict
    finding: str
    remedy: str = ""

    @classmethod
    def ok(cls, matter: str, finding: str) -> "SetupCheck":
        """It is as it must be."""
        return cls(matter, Verdict.OK, finding)

    @classmethod
    def warning(cls, matter: str, finding: str, remedy: str) -> "SetupCheck":
        """It works, and should be better."""
        return cls(matter, Verdict.WARNING, finding, remedy)

    @classmethod
    def problem(cls, matter: str, finding: str, remedy: str) -> "SetupCheck":
        """It has to be mended before mail goes out."""
        return cls(matter, Verdict.PROBLEM, finding, remedy)

    @classmethod
    def not_asked(
        cls, matter: str, finding: str, remedy: str = "Ask again from a machine that may ask."
    ) -> "SetupCheck":
        """It is not known."""
        return cls(matter, Verdict.NOT_ASKED, finding, remedy)


def has_problem(checks: Iterable[SetupCheck]) -> bool:
    """Whether something has to be mended."""
    return any(one.verdict is Verdict.PROBLEM for one in checks)
