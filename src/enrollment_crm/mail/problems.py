"""What is wrong with a template, said so that the person who edits it can mend it."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class TemplateProblem:
    """One thing to mend: where (lines and columns count from 1), what is wrong, and what to do."""

    file: str
    line: int
    column: int
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.what} {self.remedy}"


class TemplateErrors(Exception):
    """The templates have problems and nothing may be sent from them. Mend what `problems` lists."""

    def __init__(self, problems: Iterable[TemplateProblem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        listed = "\n".join(str(problem) for problem in self.problems)
        super().__init__(f"{len(self.problems)} problem(s) in the email templates:\n{listed}")
