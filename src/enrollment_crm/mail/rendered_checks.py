"""What must hold for an email as one sample person gets it."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from enrollment_crm.mail.html_document import HtmlDocument, contrast, read_html
from enrollment_crm.mail.links import link_is_allowed
from enrollment_crm.mail.templates import RenderedEmail

#: Gmail cuts an email off at about 102 KB; quoted-printable and headers need their share.
HTML_LIMIT_IN_BYTES = 90_000
SUBJECT_LIMIT_IN_CHARACTERS = 100
LEAST_CONTRAST = 4.5

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
#: A date in words, with what stands around it: weekday before, time and place after.
DATE = re.compile(rf"(?:\w+day,\s+)?\b(?:{_MONTHS})\s+\d{{1,2}}\b(?:,\s+\d{{1,2}}:\d\d\s+[ap]\.m\.)?")
_SAYS_NOTHING = re.compile(r"(?i)(click )?here|link|this( link)?|more|read more|https?://.*")


class Finding(NamedTuple):
    """What is wrong with a rendered email, and what to do."""

    what: str
    remedy: str
    #: Words beside which it is, as they may stand in the file.
    near: str = ""
    about_subject: bool = False


def check_rendered(rendered: RenderedEmail, context: Mapping[str, object]) -> Iterator[Finding]:
    """All that is wrong with one rendered email."""
    document = read_html(rendered.html)
    yield from _check_subject(rendered.subject)
    yield from _check_links(document, rendered.text)
    yield from _check_dates(document, rendered.text)
    yield from _check_reading(document, rendered.html)
    yield from _check_way_out(rendered, document, context)


def _check_subject(subject: str) -> Iterator[Finding]:
    if not subject:
        yield Finding("The subject is empty.", "Write words for this situation too.", about_subject=True)
    if len(subject) > SUBJECT_LIMIT_IN_CHARACTERS:
        remedy = f"Use at most {SUBJECT_LIMIT_IN_CHARACTERS}: phones show about 40."
        yield Finding(f"The subject has {len(subject)} characters.", remedy, about_subject=True)


def _check_links(document: HtmlDocument, text: str) -> Iterator[Finding]:
    for href, words in document.links:
        if not link_is_allowed(href):
            yield Finding(
                f"The link “{words}” leads to a place that is not allowed.", "Use https:// or mailto:.", words
            )
        elif href.removeprefix("mailto:") not in text:
            yield Finding(f"The text part lacks the link “{words}”.", "Write its address in body.txt.", words)
        if not words or _SAYS_NOTHING.fullmatch(words):
            yield Finding(f"The link text “{words}” does not say where it leads.", "Name what one finds there.", words)


def _check_dates(document: HtmlDocument, text: str) -> Iterator[Finding]:
    plain = " ".join(text.split())
    for date in DATE.findall(document.words):
        if date not in plain:
            yield Finding(f"The text part lacks the date “{date}”.", "Write it in body.txt too.")


def _check_reading(document: HtmlDocument, html: str) -> Iterator[Finding]:
    size = len(html.encode())
    if size >= HTML_LIMIT_IN_BYTES:
        yield Finding(f"The HTML has {size:,} bytes.", f"Stay below {HTML_LIMIT_IN_BYTES:,}: Gmail cuts the rest off.")
    if document.language in ("", "und"):
        yield Finding("The email does not say its language.", 'Write <mjml lang="en"> in the layout.')
    if document.tables_without_role:
        remedy = 'Give an <mj-table> or <table> role="presentation", or use text.'
        yield Finding("A table is read aloud as a table of data.", remedy)
    for address in document.fetched:
        yield Finding(f"“{address}” is fetched when the email is opened.", "Remove it: say it in words.")
    for words, colour, background in document.pieces:
        ratio = contrast(colour, background)
        if words.strip() and ratio < LEAST_CONTRAST:
            what = f"“{words.strip()[:40]}” is hard to read: {colour} on {background} has a contrast of {ratio:.1f}."
            yield Finding(what, f"Choose colours with at least {LEAST_CONTRAST}.", words.strip())


def _check_way_out(rendered: RenderedEmail, document: HtmlDocument, context: Mapping[str, object]) -> Iterator[Finding]:
    address, way_out = str(context.get("postal_address", "")), str(context.get("unsubscribe_url", ""))
    if rendered.purpose != "marketing":
        return
    if not address or address not in document.words or address not in " ".join(rendered.text.split()):
        yield Finding("The postal address is missing from the HTML or the text.", "Print {{ postal_address }} in both.")
    if not way_out or way_out not in rendered.text or way_out not in [href for href, _ in document.links]:
        yield Finding("The way out is missing from the HTML or the text.", "Link to {{ unsubscribe_url }} in both.")
