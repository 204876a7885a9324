"""Entry terms: the semester in which a person wants to begin."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, total_ordering
from typing import Self


class Season(StrEnum):
    """The semesters in which this program admits, in the order in which a calendar year has them."""

    #: January to April.
    SPRING = "spring"
    #: September to December.
    FALL = "fall"


@total_ordering
@dataclass(frozen=True)
class EntryTerm:
    """A semester of a calendar year. Printed and stored as ``fall 2027``; ordered by time."""

    year: int
    season: Season

    def __lt__(self, other: "EntryTerm") -> bool:
        # Not the dataclass's own order: as words, fall would come before the spring of the same year.
        return self._position < other._position

    @property
    def _position(self) -> tuple[int, int]:
        return self.year, list(Season).index(self.season)

    def __str__(self) -> str:
        return f"{self.season} {self.year}"

    @classmethod
    @lru_cache(maxsize=1024)  # the same few terms come again and again
    def parse(cls, text: str) -> Self:
        """The term that ``fall 2027`` names.

        Codes of other systems are translated by the term map of their source, never by arithmetic.

        Raises:
            ValueError: the text is not a season and a year of four digits.
        """
        season, _, year = text.strip().lower().partition(" ")
        if season not in set(Season) or not (len(year) == 4 and year.isdecimal()):  # noqa: PLR2004
            raise ValueError(f"{text!r} is not an entry term: write a season and a year, such as 'fall 2027'.")
        return cls(int(year), Season(season))
