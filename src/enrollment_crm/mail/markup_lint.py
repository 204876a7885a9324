"""The strict lint of MJML: balance, known elements and attributes, bare characters, Jinja across elements."""

import html.entities
import re
from dataclasses import dataclass, field

from enrollment_crm.mail.markup import EndTag, Jinja, StartTag, Text, Token, scan
from enrollment_crm.mail.problems import TemplateProblem
from enrollment_crm.mail.sources import SourceFile
from enrollment_crm.mail.vocabulary import (
    HOLDS_HTML,
    HTML_ATTRIBUTES,
    LEFT_OUT,
    MJML_ATTRIBUTES,
    MJML_CHILDREN,
    VOID_HTML,
)

_OPENS_BLOCK = frozenset({"if", "for"})
_CONTINUES_BLOCK = frozenset({"elif", "else"})
_CLOSES_BLOCK = frozenset({"endif", "endfor"})
_AMPERSAND = re.compile(r"&(?P<entity>#\d+;|#[xX][0-9a-fA-F]+;|\w+;)?")


def lint_markup(file: SourceFile, *, whole_document: bool) -> list[TemplateProblem]:
    """All that is wrong with the markup of one file: the layout is a whole document, a body is a part of one."""
    problems: list[TemplateProblem] = []
    reader = _Reader(file, problems, whole_document=whole_document)
    for token in scan(file, problems):
        reader.read(token)
    reader.finish()
    return problems


@dataclass
class _Reader:
    """Walks through the tokens of one file and remembers which elements and Jinja blocks are open."""

    file: SourceFile
    problems: list[TemplateProblem]
    whole_document: bool
    open_elements: list[StartTag] = field(default_factory=list)
    #: Each open Jinja block, with the elements that were open where it began.
    open_blocks: list[tuple[Jinja, list[StartTag]]] = field(default_factory=list)

    def read(self, token: Token) -> None:
        if isinstance(token, StartTag):
            self._start(token)
        elif isinstance(token, EndTag):
            self._end(token)
        elif isinstance(token, Text):
            self._text(token)
        elif isinstance(token, Jinja):
            self._jinja(token)

    def finish(self) -> None:
        for element in self.open_elements:
            self._say(element.start, f"<{element.name}> is never closed.", f"Add </{element.name}>.")

    def _say(self, offset: int, what: str, remedy: str) -> None:
        self.problems.append(self.file.problem(offset, what, remedy))

    @property
    def _parent(self) -> str:
        return self.open_elements[-1].name if self.open_elements else ""

    @property
    def _inside_html(self) -> bool:
        return any(element.name in HOLDS_HTML for element in self.open_elements)

    def _start(self, tag: StartTag) -> None:
        known = HTML_ATTRIBUTES if self._inside_html else MJML_ATTRIBUTES
        if tag.name not in known:
            self._say(tag.start, f"<{tag.name}> cannot be used here.", self._remedy_for(tag.name))
        else:
            self._check_place(tag)
            self._check_attributes(tag, known[tag.name])
        if tag.void:
            return
        if tag.name in VOID_HTML and self._inside_html:
            self._say(tag.start, f"<{tag.name}> is not closed.", f"Write <{tag.name} />.")
            return
        self.open_elements.append(tag)

    def _remedy_for(self, name: str) -> str:
        if name in LEFT_OUT:
            return LEFT_OUT[name]
        if self._inside_html and name in MJML_ATTRIBUTES:
            return f"Close <{self._parent}> first: MJML elements do not stand inside text."
        if not self._inside_html and name in HTML_ATTRIBUTES:
            return "HTML stands inside <mj-text>, <mj-table> or <mj-button>: put it there."
        return "Check the spelling; docs/how-to/edit-an-email.md lists what there is."

    def _check_place(self, tag: StartTag) -> None:
        if self._inside_html or (not self.open_elements and self.whole_document):
            allowed = None if self.open_elements else frozenset({"mjml"})
        else:
            allowed = MJML_CHILDREN.get(self._parent, frozenset())
        if allowed is not None and tag.name not in allowed:
            inside = f"inside <{self._parent}>" if self._parent else "at the top of the file"
            rest = f"Here may stand: {', '.join(sorted(allowed)) or 'nothing'}."
            self._say(tag.start, f"<{tag.name}> cannot stand {inside}.", rest)

    def _check_attributes(self, tag: StartTag, allowed: frozenset[str]) -> None:
        seen: set[str] = set()
        for attribute in tag.attributes:
            if attribute.name in seen:
                self._say(attribute.start, f'"{attribute.name}" stands twice in <{tag.name}>.', "Remove one.")
            elif attribute.name not in allowed:
                rest = f"<{tag.name}> knows: {', '.join(sorted(allowed)) or 'no attributes'}."
                self._say(attribute.start, f'<{tag.name}> has no attribute "{attribute.name}".', rest)
            seen.add(attribute.name)
            self._check_attribute_value(tag, attribute.value, attribute.start)

    def _check_attribute_value(self, tag: StartTag, value: str, start: int) -> None:
        if "{%" in value:
            self._say(start, f"A Jinja statement stands in an attribute of <{tag.name}>.", "Put {% %} around elements.")
        if "url(" in value.lower():
            self._say(start, "A style fetches something from the web.", "Use a plain colour: nothing is fetched here.")
        self._check_characters(re.sub(r"\{\{.*?\}\}", lambda found: " " * len(found[0]), value), start)

    def _end(self, tag: EndTag) -> None:
        if self.open_elements and self.open_elements[-1].name == tag.name:
            self.open_elements.pop()
            return
        if any(element.name == tag.name for element in self.open_elements):
            while self.open_elements[-1].name != tag.name:
                left = self.open_elements.pop()
                line = self.file.position(tag.start)[0]
                what = f"<{left.name}> is not closed before </{tag.name}> in line {line}."
                self._say(left.start, what, f"Add </{left.name}> before it.")
            self.open_elements.pop()
            return
        self._say(tag.start, f"</{tag.name}> closes nothing.", f"Remove it, or open <{tag.name}> before it.")

    def _text(self, token: Text) -> None:
        if self._parent in MJML_CHILDREN and token.source.strip():
            start = token.start + len(token.source) - len(token.source.lstrip())
            self._say(start, "Text stands outside of any text element.", "Put it into an <mj-text>.")
        if self._parent == "mj-style" and re.search(r"url\(|@import", token.source, re.IGNORECASE):
            self._say(token.start, "A style fetches something from the web.", "Remove it: nothing is fetched here.")
        if self._parent != "mj-style":
            self._check_characters(token.source, token.start)

    def _check_characters(self, text: str, start: int) -> None:
        for match in _AMPERSAND.finditer(text):
            entity = match["entity"]
            if entity is None:
                self._say(start + match.start(), "A bare & stands in the text.", "Write &amp;.")
            elif not entity.startswith("#") and entity not in html.entities.html5:
                self._say(start + match.start(), f"&{entity} is no character.", "Check the spelling, or write &amp;.")
        for match in re.finditer("<", text):
            self._say(start + match.start(), "A bare < stands here, or a tag that cannot be read.", "Write &lt;.")

    def _jinja(self, token: Jinja) -> None:
        if token.keyword in _OPENS_BLOCK:
            self.open_blocks.append((token, list(self.open_elements)))
        elif token.keyword in _CONTINUES_BLOCK | _CLOSES_BLOCK and self.open_blocks:
            self._check_same_elements(token)
            if token.keyword in _CLOSES_BLOCK:
                self.open_blocks.pop()
        elif not token.keyword and token.source.startswith("{{") and self._parent in MJML_CHILDREN:
            self._say(token.start, "A value is printed outside of any text element.", "Put it into an <mj-text>.")

    def _check_same_elements(self, token: Jinja) -> None:
        opening, elements = self.open_blocks[-1]
        if elements != self.open_elements:
            line = self.file.position(opening.start)[0]
            what = f"{{% {token.keyword} %}} stands at another depth than the {{% {opening.keyword} %}} of line {line}."
            self._say(token.start, what, "Open and close every element within the same branch.")
