"""The pull from Slate, the admissions system: a query that is published as a web service, as JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from enrollment_crm.sources.feed_errors import FeedUnreadableError
from enrollment_crm.sources.json_documents import rows_in
from enrollment_crm.sources.pulls import Answer, Pull, PullLimits
from enrollment_crm.sources.redaction import basic_token
from enrollment_crm.sources.spooled_rows import Row, spooled

_MOST_PAGES = 10_000
_HINT = ", and that the query is published as a web service"


@dataclass(frozen=True)
class SlateQuery:
    """A query of Slate, and what opens it: its key, or a user with a password."""

    #: ``https://HOST/manage/query/run?id=GUID``, without ``h=``.
    url: str
    #: The value of ``h=``.
    key: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    #: Its file, for errors.
    where: str = "config/sources/slate.yml"
    #: The parameter that takes the number of the page; empty: all rows come at once.
    page_parameter: str = ""
    #: The parameter that takes the instant from which on rows are wanted.
    since_parameter: str = ""


def fetch_slate(
    query: SlateQuery, *, limits: PullLimits, since: datetime | None = None, first_page_only: bool = False
) -> list[Row] | Iterator[Row]:
    """All rows of a Slate query as they are; an entry that is no row comes back as a ``DAMAGE_NOTE``.

    All pages are there before the first row is given. The key travels in the address, as Slate wants it, so it is
    kept out of every error and log line.

    Args:
        since: on the wall clock on which Slate writes its times; None: all rows.
        first_page_only: for a trial.

    Raises:
        FeedUnreachableError, FeedRefusedError, FeedUnreadableError: see there.
    """
    login = basic_token(query.user, query.password) if query.user else ""
    parameters = {**({"h": query.key} if query.key else {}), "cmd": "service", "output": "json"}
    if query.since_parameter and since is not None:
        parameters[query.since_parameter] = since.replace(tzinfo=None).isoformat(timespec="seconds")
    headers = {"Authorization": f"Basic {login}"} if login else {}
    with Pull("The Slate feed", query.where, secrets=[query.key, query.password, login], limits=limits) as pull:
        if not query.page_parameter:
            return _page(pull, query.url, parameters, headers)[0]
        return spooled(_pages(pull, query, parameters, headers, first_page_only=first_page_only))


def _pages(
    pull: Pull, query: SlateQuery, parameters: Mapping[str, str], headers: Mapping[str, str], *, first_page_only: bool
) -> Iterator[list[Row]]:
    seen = set[bytes]()
    for number in range(1, _MOST_PAGES + 1):
        rows, digest = _page(pull, query.url, {**parameters, query.page_parameter: str(number)}, headers)
        if not rows:
            return
        if digest in seen:
            raise FeedUnreadableError(
                f"{pull.at(query.url)} gives the same page again and again: its query has no parameter "
                f"{query.page_parameter!r}. Add it in Slate, or take pagination out of {query.where}."
            )
        seen.add(digest)
        yield rows
        if first_page_only:
            return
    raise FeedUnreadableError(
        f"{pull.at(query.url)} has more than {_MOST_PAGES} pages: let its query give more rows a page."
    )


def _page(pull: Pull, url: str, parameters: Mapping[str, str], headers: Mapping[str, str]) -> tuple[list[Row], bytes]:
    answer = pull.ask(url, parameters=parameters, headers=headers)
    pull.check_status(answer, url, hint=_HINT)
    content = answer.json()
    rows = rows_in(content) if isinstance(content, Mapping) else None
    if rows is None:
        raise FeedUnreadableError(f"{pull.at(url)} sends {_what_it_is(answer)}.")
    return rows, sha256(answer.content).digest()


def _what_it_is(answer: Answer) -> str:
    if answer.is_web_page:
        return "a web page instead of JSON: the key has expired, or the query is not published as a web service"
    if not answer.content.strip():
        return "nothing: run the query in Slate and see whether it gives rows"
    return 'no complete {"row": [...]}: either the answer broke off, or output=json is not switched on in Slate'
