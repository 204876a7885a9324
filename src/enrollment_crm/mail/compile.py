"""From the files of an email to three Jinja templates. MJML is compiled here, once; people come later.

MRML sees the structure alone: what stands inside text elements, every Jinja statement and every value in an
attribute is put aside under a mark and put back afterwards. So statements may stand freely between elements,
spaces between words survive, and notes (comments) never reach a reader.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from mjml import mjml2html

from enrollment_crm.mail.markup import JINJA, Comment, EndTag, Jinja, StartTag, Token, scan
from enrollment_crm.mail.problems import TemplateErrors
from enrollment_crm.mail.sources import BaseSources, EmailSources, SourceFile
from enrollment_crm.mail.vocabulary import HOLDS_HTML, HOLDS_TEXT

#: Where a layout takes the email's own part.
INCLUDE = re.compile(r"[ \t]*\{%-?\s*include\s+\"body\.(?:mjml|txt)\"\s*-?%\}[ \t]*\n?")
# Letters and digits only: MRML writes anything else in its own way, differently in text and attributes.
_MARK = re.compile(r"xPutAside(\d+)x")
_FIRST_SPACE_IN_TAG = re.compile(r"(<[a-z][a-z0-9]*) ")
_JINJA_OR_NOT_ASCII = re.compile(rf"{JINJA}|[^\x00-\x7f]+", re.DOTALL)
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def compile_html(base: BaseSources, email: EmailSources) -> str:
    """The HTML of an email as the source of a Jinja template.

    Raises:
        TemplateErrors: MRML refuses the document; after a clean lint that is a fault of the lint.
    """
    aside = _Aside()
    body = _masked(email.mjml, aside)
    layout = _masked(base.mjml, aside, include=body.structure, preview=body.preview)
    try:
        compiled = mjml2html(layout.structure, disable_comments=True, fonts={})
    except ValueError as error:
        problem = email.mjml.problem(0, f"MJML cannot be compiled: {error}.", "Compare with an email that works.")
        raise TemplateErrors([problem]) from error
    # MRML writes one line; a line may have 998 octets at most, and inside a tag a line end means nothing.
    return _in_ascii(aside.restore(_FIRST_SPACE_IN_TAG.sub(r"\1\n", compiled)))


def _in_ascii(template: str) -> str:
    """Name every character in ASCII, outside of Jinja: what is done once here, no message has to do again."""
    return _JINJA_OR_NOT_ASCII.sub(
        lambda found: found[0] if found[0][0] == "{" else found[0].encode("ascii", "xmlcharrefreplace").decode(),
        template,
    )


def compose_text(base: BaseSources, email: EmailSources) -> str:
    """The plain text of an email as the source of a Jinja template."""
    return INCLUDE.sub(lambda _: email.text.text, base.text.text, count=1)


@dataclass
class _Aside:
    """What MRML must not touch, under the number of its mark."""

    pieces: list[str] = field(default_factory=list)

    def put(self, piece: str) -> str:
        self.pieces.append(piece)
        return f"xPutAside{len(self.pieces) - 1}x"

    def restore(self, compiled: str) -> str:
        return _MARK.sub(lambda mark: self.pieces[int(mark[1])], compiled)


@dataclass
class _Masked:
    """The structure of one file, and the preview line that belongs into the head."""

    structure: str = ""
    preview: str = ""


def _masked(file: SourceFile, aside: _Aside, *, include: str = "", preview: str = "") -> _Masked:
    masked = _Masked()
    tokens = iter(scan(file, []))
    for token in tokens:
        if isinstance(token, StartTag):
            element = _start_tag(token, aside)
            if not token.void and token.name in HOLDS_HTML | HOLDS_TEXT:
                content = _content_until_end(token.name, tokens, file)
                element += f"{aside.put(content)}</{token.name}>"
            if token.name == "mj-preview":
                masked.preview = element
            else:
                masked.structure += element
        elif isinstance(token, EndTag):
            masked.structure += (preview if token.name == "mj-head" else "") + f"</{token.name}>"
        elif isinstance(token, Jinja):
            masked.structure += include if token.keyword == "include" else f"<mj-raw>{aside.put(token.source)}</mj-raw>"
    return masked


def _start_tag(tag: StartTag, aside: _Aside) -> str:
    attributes = "".join(
        f' {one.name}="{_EXPRESSION.sub(lambda found: aside.put(found[0]), one.value)}"' for one in tag.attributes
    )
    return f"<{tag.name}{attributes}{' /' if tag.void else ''}>"


def _content_until_end(name: str, tokens: Iterator[Token], file: SourceFile) -> str:
    pieces: list[str] = []
    for token in tokens:
        if isinstance(token, EndTag) and token.name == name:
            break
        if not isinstance(token, Comment):
            pieces.append(file.text[token.start : token.end])
    return "".join(pieces).strip()
