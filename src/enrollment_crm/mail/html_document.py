"""A rendered HTML email as its reader meets it: words, links, colours, tables."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import NamedTuple

_VOID = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "wbr"})
_UNSEEN = frozenset({"head", "style", "title"})
_BREAKS_WORDS = frozenset({"br", "div", "h1", "h2", "h3", "li", "p", "td", "th", "tr"})
_COLOURS = {"white": "#ffffff", "black": "#000000", "transparent": ""}
_DECLARATION = re.compile(r"(?:^|;)\s*(color|background(?:-color)?|display)\s*:\s*([^;]+)", re.IGNORECASE)
_FROM_THE_WEB = ("src", "background", "poster", "srcset")


class Link(NamedTuple):
    """A link and the words that one clicks on."""

    href: str
    words: str


@dataclass(frozen=True, slots=True)
class Style:
    """What an element hands down to its children."""

    colour: str = "#000000"
    background: str = "#ffffff"
    hidden: bool = False


@dataclass
class HtmlDocument:
    """What a reader, or their screen reader, gets."""

    language: str = ""
    links: list[Link] = field(default_factory=list)
    #: Pieces of text with their colour and the one behind them.
    pieces: list[tuple[str, str, str]] = field(default_factory=list)
    tables_without_role: int = 0
    #: Addresses that a mail client would fetch when it shows the email.
    fetched: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """All visible text, with single spaces."""
        return " ".join(" ".join(piece for piece, _, _ in self.pieces).split())


def read_html(html: str) -> HtmlDocument:
    """Read a rendered email."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.document


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.document = HtmlDocument()
        self._open: list[tuple[str, Style]] = [("", Style())]
        self._link: tuple[str, list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.document.language = attributes.get("lang", "")
        if tag == "table" and attributes.get("role") != "presentation":
            self.document.tables_without_role += 1
        self.document.fetched += [attributes[name] for name in _FROM_THE_WEB if "//" in attributes.get(name, "")]
        if tag == "link":
            self.document.fetched.append(attributes.get("href", ""))
        if tag == "a":
            self._link = (attributes.get("href", ""), [])
        if tag not in _VOID:
            self._open.append((tag, _style_of(attributes, self._open[-1][1], unseen=tag in _UNSEEN)))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link is not None:
            self.document.links.append(Link(self._link[0], " ".join("".join(self._link[1]).split())))
            self._link = None
        depth = max((index for index, (name, _) in enumerate(self._open) if name == tag), default=0)
        if depth:
            del self._open[depth:]
        if tag in _BREAKS_WORDS:
            self.document.pieces.append((" ", "#000000", "#ffffff"))

    def handle_data(self, data: str) -> None:
        style = self._open[-1][1]
        if self._link is not None:
            self._link[1].append(data)
        if data.strip() and not style.hidden:
            self.document.pieces.append((data, style.colour, style.background))


def _style_of(attributes: dict[str, str], inherited: Style, *, unseen: bool) -> Style:
    said = {name.lower(): value.strip().lower() for name, value in _DECLARATION.findall(attributes.get("style", ""))}
    background = said.get("background-color") or said.get("background") or attributes.get("bgcolor", "")
    return Style(
        colour=_hexadecimal(said.get("color", "")) or inherited.colour,
        background=_hexadecimal(background) or inherited.background,
        hidden=inherited.hidden or unseen or said.get("display") == "none",
    )


def _hexadecimal(colour: str) -> str:
    """A colour as #rrggbb; empty when it says nothing that can be told."""
    colour = _COLOURS.get(colour, colour)
    if re.fullmatch(r"#[0-9a-f]{3}", colour):
        return "#" + "".join(digit * 2 for digit in colour[1:])
    return colour if re.fullmatch(r"#[0-9a-f]{6}", colour) else ""


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2): from 1, the same, to 21, black on white."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)  # noqa: PLR2004
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
