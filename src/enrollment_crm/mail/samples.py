"""Sample people: the situations in which every email must be right before it may be sent to anyone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from enrollment_crm.mail.contexts import Declarations
from enrollment_crm.mail.manifest import FieldDeclaration, ListDeclaration, read_manifest
from enrollment_crm.mail.problems import TemplateErrors, TemplateProblem
from enrollment_crm.mail.sources import PEOPLE_FOLDER, SourceFile, read_files

_SHARED = "_program.yml"


class _SharedValues(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class _PersonFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    about: Annotated[str, Field(min_length=10)]
    #: The emails that this person can get; empty: all.
    emails: tuple[str, ...] = ()
    context: dict[str, object]


@dataclass(frozen=True)
class SamplePerson:
    """One person in one situation, with the values of every email that they can get."""

    name: str
    about: str
    file: SourceFile
    emails: tuple[str, ...]
    _context: Mapping[str, object]

    def gets(self, email: str) -> bool:
        """Whether this email makes sense for this person."""
        return not self.emails or email in self.emails

    def context(self, *, purpose: str) -> Mapping[str, object]:
        """The values for an email of this purpose; transactional mail has no way out."""
        return self._context if purpose == "marketing" else {**self._context, "unsubscribe_url": ""}


def read_people(templates: Path) -> tuple[SamplePerson, ...]:
    """All sample people of a template folder, in alphabetical order.

    Raises:
        TemplateErrors: a file is not what it should be.
    """
    folder = templates / PEOPLE_FOLDER
    (shared_file,) = read_files(iter([folder / _SHARED]))
    shared = read_manifest(shared_file, _SharedValues).model_dump()
    problems: list[TemplateProblem] = []
    people = []
    for file in read_files(iter(sorted(folder.glob("[!_.]*.yml")))):
        try:
            one = read_manifest(file, _PersonFile)
        except TemplateErrors as error:
            problems += error.problems
            continue
        people.append(SamplePerson(file.path.stem, one.about, file, one.emails, {**shared, **one.context}))
    if problems:
        raise TemplateErrors(problems)
    return tuple(people)


def missing_situations(declared: Declarations, contexts: Iterable[Mapping[str, object]]) -> Iterable[str]:
    """Situations that an email provides for and that no sample person is in, in words."""
    seen = list(contexts)
    for name, declaration in declared.items():
        values = [context.get(name) for context in seen]
        if isinstance(declaration, FieldDeclaration):
            yield from (f"{name} is {choice}" for choice in declaration.values if choice not in values)
        if declaration.optional and name != "unsubscribe_url":
            yield from (f"{name} is empty" for _ in [0] if all(values))
            yield from (f"{name} is not empty" for _ in [0] if not any(values))
        if isinstance(declaration, ListDeclaration):
            lengths = {len(value) for value in values if isinstance(value, list)}
            yield from (f"{name} has one record" for _ in [0] if 1 not in lengths)
            yield from (f"{name} has several records" for _ in [0] if not lengths - {0, 1})
