"""What a file of ``config/sources/`` says about the way of its rows: transport, address, credentials by reference."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from enrollment_crm.domain.field_maps import FieldMap
from enrollment_crm.domain.sources import PULLED, HighWater, Pagination, Reference, Source, Transport
from enrollment_crm.sources.encodings import is_encoding

#: Which credentials belong together, by transport; one group of them is wanted.
_CREDENTIALS: dict[Transport, tuple[frozenset[str], ...]] = {
    Transport.SLATE_QUERY: (frozenset({"key"}), frozenset({"user", "password"})),
    Transport.SALESFORCE_REST: (frozenset({"token"}), frozenset({"client_id", "client_secret"})),
}
_LONGEST_OVERLAP_IN_DAYS = 366
_MOST_ROWS_A_PAGE = 2_000
#: Where the instant goes from which on a Salesforce org is asked.
SINCE = "{since}"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SecretReference(_Entry):
    """A variable of the environment."""

    environment: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")


class ConnectionReference(_Entry):
    """An Airflow connection."""

    connection: str = Field(pattern=r"^[\w.-]+$")


class _HighWaterFile(_Entry):
    column: str
    parameter: str = ""
    overlap_in_days: Annotated[float, Field(ge=0, le=_LONGEST_OVERLAP_IN_DAYS)] = 3

    def entry(self) -> HighWater:
        return HighWater(self.column, self.parameter, timedelta(days=self.overlap_in_days))


class _PaginationFile(_Entry):
    parameter: str = ""
    rows_a_page: Annotated[int | None, Field(ge=200, le=_MOST_ROWS_A_PAGE)] = None


class _CredentialsFile(_Entry):
    key: SecretReference | None = None
    user: SecretReference | None = None
    password: SecretReference | None = None
    token: SecretReference | None = None
    client_id: SecretReference | None = None
    client_secret: SecretReference | None = None


class TransportFile(_Entry):
    """The part of the file that tells the transport. ``ValueError`` with a sentence for what cannot be."""

    transport: Transport | None = None
    address: str | SecretReference | ConnectionReference | None = None
    credentials: ConnectionReference | _CredentialsFile | None = None
    query: str = ""
    api_version: str = Field("v62.0", pattern=r"^v\d+\.\d$")
    high_water: _HighWaterFile | None = None
    pagination: _PaginationFile = _PaginationFile()
    sheet: str = ""
    encoding: str = ""
    #: Names of the variables that hold the secrets: two while the sender rotates them.
    secrets: list[SecretReference] = Field([], max_length=2)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        problems = [*self._misplaced(), *self._of_a_pull(), *self._of_salesforce()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def source_of(self, name: str, field_map: FieldMap) -> Source:
        """The source that the file configures."""
        water, pages = self.high_water, self.pagination
        return Source(
            name=name,
            field_map=field_map,
            transport=self._transport,
            address=_reference(self.address) if isinstance(self.address, _Entry) else self.address,
            credentials={part: _reference(one) for part, one in self._credentials()},
            query=" ".join(self.query.split()),
            api_version=self.api_version,
            high_water=water.entry() if water else None,
            pagination=Pagination(pages.parameter, pages.rows_a_page),
            sheet=self.sheet,
            encoding=self.encoding,
        )

    def webhook_secrets(self) -> tuple[str, ...] | None:
        """Variables that hold the secrets of a webhook; None: it is none."""
        return None if self._transport is not Transport.WEBHOOK else tuple(one.environment for one in self.secrets)

    @property
    def _transport(self) -> Transport:
        return self.transport or Transport.DROP_FOLDER

    def _credentials(self) -> Iterator[tuple[str, SecretReference | ConnectionReference]]:
        if isinstance(self.credentials, ConnectionReference):
            yield "connection", self.credentials
        elif self.credentials:
            for part in _CredentialsFile.model_fields:
                if one := getattr(self.credentials, part):
                    yield part, one

    def _misplaced(self) -> Iterator[str]:
        if self.secrets and self._transport is not Transport.WEBHOOK:
            yield "secrets belong to transport: webhook: add that line, or take them out"
        if self._transport not in PULLED:
            for part in ("address", "credentials", "high_water"):
                if getattr(self, part) is not None:
                    yield f"{part}: only {' and '.join(PULLED)} are pulled: name one as transport, or take it out"
        if self.sheet and self._transport in {Transport.WEBHOOK, Transport.FORM}:
            yield "sheet belongs to dropped workbooks: take it out"
        if self.encoding and not is_encoding(self.encoding):
            yield f"encoding: {self.encoding!r} is none, write one such as utf-8, windows-1252, shift_jis or gb18030"

    def _of_a_pull(self) -> Iterator[str]:
        if self._transport not in PULLED:
            return
        if self.address is None:
            yield "address: write where the rows are pulled from, such as {environment: CRM_SLATE_QUERY_URL}"
        if isinstance(self.address, str) and urlsplit(self.address).scheme not in {"http", "https"}:
            yield "address: write it with https://"
        if isinstance(self.address, str) and (_holds_secret(self.address)):
            yield "address: it holds a key or password: name it under credentials instead, by reference"
        wanted, given = _CREDENTIALS[self._transport], {part for part, _ in self._credentials()}
        if given not in (*wanted, {"connection"}):
            choices = " or ".join(" and ".join(sorted(one)) for one in wanted)
            yield f"credentials: {self._transport} takes {choices}, or connection"

    def _of_salesforce(self) -> Iterator[str]:
        if self._transport is Transport.SALESFORCE_REST:
            if not self.query:
                yield "query: write the SOQL, such as SELECT Id FROM hed__Application__c"
            if (SINCE in self.query) != (self.high_water is not None):
                yield f"high_water goes with {SINCE} in the query: write both, or none"
        elif self.query:
            yield "query: only salesforce_rest has one; a Slate query is named by its address"
        if self._transport is Transport.SLATE_QUERY and self.high_water and not self.high_water.parameter:
            yield "high_water.parameter: name the parameter of the Slate query that takes the instant"


def _reference(entry: BaseModel) -> Reference:
    return Reference(**entry.model_dump())


def _holds_secret(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.password) or bool({"h", "key", "token", "password"} & set(parse_qs(parts.query)))
