"""Reads MJML strictly, without understanding it: tags, text, comments and Jinja, each with its place.

MRML accepts mismatched end tags, unknown tags, bare ``&`` and ``<br>`` without a word; so our own lint reads first.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from enrollment_crm.mail.problems import TemplateProblem
from enrollment_crm.mail.sources import SourceFile

JINJA = r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}"
# Unambiguous on purpose: a quote inside Jinja does not end the value.
_VALUE = rf'"(?:{JINJA}|[^"{{]|\{{(?![{{%#]))*"'
_TOKEN = re.compile(
    rf"(?P<jinja>{JINJA})|(?P<comment><!--.*?-->)|(?P<end></(?P<end_name>[A-Za-z][\w-]*)\s*>)"
    rf'|(?P<start><(?P<name>[A-Za-z][\w-]*)(?P<attributes>(?:{_VALUE}|[^">])*?)(?P<void>/?)>)',
    re.DOTALL,
)
_ATTRIBUTE = re.compile(rf"\s*(?P<name>[A-Za-z_:][\w:.-]*)\s*=\s*(?P<value>{_VALUE})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Jinja:
    """A Jinja statement, expression or comment."""

    start: int
    end: int
    source: str

    @property
    def keyword(self) -> str:
        """The first word of a statement, such as ``if``; empty for an expression or a comment."""
        match = re.match(r"\{%[-+]?\s*(\w+)", self.source)
        return match[1] if match else ""


@dataclass(frozen=True, slots=True)
class Comment:
    """A note to other editors: it is left out of the email."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Text:
    """What stands between tags."""

    start: int
    end: int
    source: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a start tag; `start` is where its value begins."""

    name: str
    value: str
    start: int


@dataclass(frozen=True, slots=True)
class StartTag:
    """A start tag; `void` when it ends itself with a slash."""

    start: int
    end: int
    name: str
    attributes: tuple[Attribute, ...]
    void: bool


@dataclass(frozen=True, slots=True)
class EndTag:
    """An end tag."""

    start: int
    end: int
    name: str


Token = Jinja | Comment | Text | StartTag | EndTag


def scan(file: SourceFile, problems: list[TemplateProblem]) -> list[Token]:
    """All tokens of a file, in order; what cannot be read is a problem and becomes text."""
    return list(_tokens(file, problems))


def _tokens(file: SourceFile, problems: list[TemplateProblem]) -> Iterator[Token]:
    read_to = 0
    for match in _TOKEN.finditer(file.text):
        if match.start() > read_to:
            yield Text(read_to, match.start(), file.text[read_to : match.start()])
        read_to = match.end()
        if match["jinja"]:
            yield Jinja(match.start(), match.end(), match["jinja"])
        elif match["comment"]:
            yield Comment(match.start(), match.end())
        elif match["end"]:
            yield EndTag(match.start(), match.end(), match["end_name"])
        else:
            attributes = tuple(_attributes(file, match, problems))
            yield StartTag(match.start(), match.end(), match["name"], attributes, bool(match["void"]))
    if read_to < len(file.text):
        yield Text(read_to, len(file.text), file.text[read_to:])


def _attributes(file: SourceFile, tag: re.Match[str], problems: list[TemplateProblem]) -> Iterator[Attribute]:
    source, offset = tag["attributes"], tag.start("attributes")
    read_to = 0
    while source[read_to:].strip():
        match = _ATTRIBUTE.match(source, read_to)
        if match is None:
            where = offset + read_to + len(source[read_to:]) - len(source[read_to:].lstrip())
            what = f"An attribute of <{tag['name']}> cannot be read."
            problems.append(file.problem(where, what, 'Write attributes as name="value", with the quotes.'))
            return
        yield Attribute(match["name"], match["value"][1:-1], offset + match.start("value") + 1)
        read_to = match.end()
