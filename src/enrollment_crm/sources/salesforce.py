"""The pull from a Salesforce org: a SOQL query over its REST interface, page by page along the cursor."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from enrollment_crm.domain.field_maps import DAMAGE_NOTE
from enrollment_crm.sources.feed_errors import FeedUnreachableError, FeedUnreadableError
from enrollment_crm.sources.json_documents import ENTRY
from enrollment_crm.sources.pulls import Answer, Pull, PullLimits
from enrollment_crm.sources.source_files import SINCE
from enrollment_crm.sources.spooled_rows import Row, spooled
from enrollment_crm.sources.web_sessions import host_of

_LOGIN_PATH = "/services/oauth2/token"
#: What an org answers with 403 when it has been asked too often today.
_BUSY = {"REQUEST_LIMIT_EXCEEDED", "SERVER_UNAVAILABLE"}
#: What an org answers with 401 when a token holds no longer.
_SESSION_ENDED = "INVALID_SESSION_ID"
_EVERYTHING = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_QUOTE = 200


@dataclass(frozen=True)
class SalesforceQuery:
    """A query of an org, and what opens it: a bearer token, or a client of the OAuth client-credentials flow."""

    #: ``https://SCHOOL.my.salesforce.com``.
    url: str
    soql: str
    token: str = field(default="", repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    api_version: str = "v62.0"
    rows_a_page: int | None = None
    #: Its file, for errors.
    where: str = "config/sources/salesforce.yml"


def fetch_salesforce(
    query: SalesforceQuery, *, limits: PullLimits, since: datetime | None = None, first_page_only: bool = False
) -> Iterator[Row]:
    """All rows of the query; a field of a related record is under ``hed__Applicant__r.Email``.

    All pages are there before the first row is given.

    Args:
        since: what ``{since}`` in the query stands for; None: all rows.
        first_page_only: for a trial.

    Raises:
        FeedUnreachableError, FeedRefusedError, FeedUnreadableError: see there.
    """
    with Pull("The Salesforce feed", query.where, secrets=[query.token, query.client_secret], limits=limits) as pull:
        return spooled(_Org(pull, query).pages(since, first_page_only=first_page_only))


class _Org:
    def __init__(self, pull: Pull, query: SalesforceQuery) -> None:
        self._pull, self._query = pull, query
        #: The org has taken our token once.
        self._is_open = False

    def pages(self, since: datetime | None, *, first_page_only: bool) -> Iterator[list[Row]]:
        base, token = self._logged_in()
        headers = {"Authorization": f"Bearer {token}"}
        if self._query.rows_a_page:
            headers["Sforce-Query-Options"] = f"batchSize={self._query.rows_a_page}"
        instant = (since or _EVERYTHING).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        parameters: dict[str, str] | None = {"q": self._query.soql.replace(SINCE, instant)}
        url = urljoin(base, f"/services/data/{self._query.api_version}/query")
        seen, given, promised = set[str](), 0, 0
        while url:
            seen.add(url)
            content = self._content(self._pull.ask(url, parameters=parameters, headers=headers), url)
            self._is_open = True
            given, promised = given + len(content["records"]), content.get("totalSize", 0)
            yield [_row(one) for one in content["records"]]
            if first_page_only:
                return
            url, parameters = self._next(content, base, seen), None
        if given != promised:
            raise FeedUnreachableError(
                f"{self._pull.at(base)} promised {promised} rows and gave {given}: some went missing on the way, "
                "so none is kept. It is tried again."
            )

    def _logged_in(self) -> tuple[str, str]:
        """Where the org is asked, and the token that opens it."""
        if self._query.token:
            return self._query.url, self._query.token
        url = urljoin(self._query.url, _LOGIN_PATH)
        form = {
            "grant_type": "client_credentials",
            "client_id": self._query.client_id,
            "client_secret": self._query.client_secret,
        }
        answer = self._pull.ask(url, form=form)
        said = answer.json()
        token = said.get("access_token") if isinstance(said, Mapping) else None
        if isinstance(token, str) and token:
            self._pull.keep_secret(token)
            return _same_scheme(str(said.get("instance_url") or ""), self._query.url), token
        why = f" ({_quoted(said.get('error'))})" if isinstance(said, Mapping) and said.get("error") else ""
        hint = f"{why}, and that its connected app allows the client credentials flow"
        self._pull.check_status(answer, url, hint=hint)
        raise FeedUnreadableError(f"{self._pull.at(url)} gives no token: check the address in {self._query.where}.")

    def _content(self, answer: Answer, url: str) -> dict[str, Any]:
        content = answer.json()
        errors = content if isinstance(content, list) else []
        if errors and isinstance(errors[0], dict):
            self._raise_what_is_said(answer, errors[0], url)
        self._pull.check_status(answer, url, hint="")
        if isinstance(content, dict) and isinstance(content.get("records"), list):
            return content
        what = "a web page, such as its login," if answer.is_web_page else "something"
        raise FeedUnreadableError(
            f"{self._pull.at(url)} sends {what} instead of a whole page of rows: open the address in a browser, "
            f"and correct it in {self._query.where}."
        )

    def _raise_what_is_said(self, answer: Answer, error: Mapping[str, Any], url: str) -> None:
        code, words = _quoted(error.get("errorCode")), self._pull.redact(_quoted(error.get("message")))
        if code in _BUSY:
            raise FeedUnreachableError(f"{self._pull.at(url)} answers {answer.status} ({code}). It is tried again.")
        if code == _SESSION_ENDED and self._is_open:  # the next try logs in anew
            raise FeedUnreachableError(f"{self._pull.at(url)} ended our session. It is tried again.")
        self._pull.check_status(answer, url, hint=f": it says {code}, {words!r}")

    def _next(self, content: Mapping[str, Any], base: str, seen: set[str]) -> str:
        if content.get("done") is True:
            return ""
        path = content.get("nextRecordsUrl")
        url = urljoin(base, path) if isinstance(path, str) and path else ""
        # Only a page of the same org: the token goes to nobody else.
        if not _is_same_place(url, base):
            raise FeedUnreadableError(
                f"{self._pull.at(base)} says that there are more rows and not where: none is kept. Tell the org's "
                "administrator, or ask for fewer rows."
            )
        if url in seen:
            raise FeedUnreadableError(f"{self._pull.at(base)} leads from one page to the same page: none is kept.")
        return url


def _same_scheme(instance: str, configured: str) -> str:
    """The instance that the org names, unless the token would travel less protected than the client's secret did."""
    is_as_safe = host_of(instance) and urlsplit(instance).scheme == urlsplit(configured).scheme
    return instance if is_as_safe else configured


def _is_same_place(url: str, base: str) -> bool:
    return bool(host_of(url)) and urlsplit(url)[:2] == urlsplit(base)[:2]


def _row(record: Any) -> Row:
    return dict(_flat(record, "")) if isinstance(record, dict) else {DAMAGE_NOTE: "the entry is no row", ENTRY: record}


def _flat(record: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if name == "attributes":  # type and address of the record: nothing that anybody said
            continue
        if isinstance(value, dict) and not isinstance(value.get("records"), list):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _quoted(said: object) -> str:
    return " ".join(str(said or "").split())[:_LONGEST_QUOTE]
