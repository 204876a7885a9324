"""Sources: where rows come from, by which transport, with which credentials; configuration, in ``config/sources/``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from enrollment_crm.domain.field_maps import FieldMap
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.raw_values import instant_text_of, text_of

#: How far behind its high-water mark a source is asked again: what it committed late is not lost.
DEFAULT_OVERLAP = timedelta(days=3)


class Transport(StrEnum):
    """How rows of a source reach the inbox. Whatever it is, files in its drop folder are read too."""

    #: A query of Slate that is published as a web service, pulled as JSON.
    SLATE_QUERY = "slate_query"
    #: A SOQL query of a Salesforce org, pulled by its REST interface page by page.
    SALESFORCE_REST = "salesforce_rest"
    #: Files that another system drops: CSV and its relatives, JSON, workbooks (XLSX).
    DROP_FOLDER = "drop_folder"
    #: Posts of another system, signed by the Standard Webhooks specification.
    WEBHOOK = "webhook"
    #: Posts of the request-info form of the public app.
    FORM = "form"


#: What is asked for its rows; everything else sends them.
PULLED = (Transport.SLATE_QUERY, Transport.SALESFORCE_REST)


@dataclass(frozen=True)
class Reference:
    """Names a value that stands elsewhere, so that no secret stands in a file: exactly one of the two."""

    #: A variable of the environment.
    environment: str = ""
    #: The id of an Airflow connection.
    connection: str = ""

    def __str__(self) -> str:
        return f"the variable {self.environment}" if self.environment else f"the connection {self.connection!r}"


@dataclass(frozen=True)
class ConnectionDetails:
    """What a connection holds. Its text never shows a secret."""

    address: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class HighWater:
    """Where a row tells when it was changed, by the source's clock, and how the source is asked from there on."""

    #: Raw column of the instant.
    column: str
    #: Slate: the parameter of the query that takes the instant. Salesforce has ``{since}`` in its query instead.
    parameter: str = ""
    overlap: timedelta = DEFAULT_OVERLAP


@dataclass(frozen=True)
class Pagination:
    """How a source that gives its rows page by page is asked for them."""

    #: Slate: the parameter that takes the number of the page, from 1 on, until a page is empty.
    parameter: str = ""
    #: Salesforce: how many rows a page has at most.
    rows_a_page: int | None = None


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What is known of the files that a source drops."""

    #: Sheet of a workbook; empty: it has one.
    sheet: str = ""
    #: What text is written in; empty: it is found out.
    encoding: str = ""
    #: Names of columns, by which a header is told from what stands above it.
    columns: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Source:
    """All that is configured of one source."""

    name: str
    field_map: FieldMap
    transport: Transport = Transport.DROP_FOLDER
    #: An address as it is, or where it stands; None: nothing is pulled.
    address: str | Reference | None = None
    #: Name of the credential (``key``, ``user``, ``password``, ``token``, ``client_id``, ``client_secret``) -> where it
    #: stands. All of a connection: ``connection`` alone.
    credentials: Mapping[str, Reference] = field(default_factory=dict)
    #: SOQL of a Salesforce query.
    query: str = ""
    #: Version of Salesforce's interface.
    api_version: str = "v62.0"
    high_water: HighWater | None = None
    pagination: Pagination = Pagination()
    #: Sheet of a dropped workbook; empty: it has one.
    sheet: str = ""
    #: What the text of a dropped file is written in; empty: it is found out.
    encoding: str = ""

    @property
    def webhook_secrets(self) -> tuple[str, ...] | None:
        """Variables that hold the secrets of a webhook, two while the sender rotates them; None: it is none."""
        return self.field_map.webhook_secrets

    @property
    def layout(self) -> Layout:
        """What is known of its files."""
        return Layout(sheet=self.sheet, encoding=self.encoding, columns=self.field_map.columns)

    @property
    def is_pulled(self) -> bool:
        """It has to be asked for its rows."""
        return self.transport in PULLED

    def changed_at(self, raw: Mapping[str, object]) -> datetime | None:
        """When a row was changed by the source's clock; None where it does not say, or not in a way that is read."""
        if self.high_water is None:
            return None
        text = text_of(raw.get(self.high_water.column))
        if text is None:
            return None
        said = instant_text_of(text, ZoneInfo(self.field_map.time_zone), self.field_map.date_formats)
        try:
            return check_aware(datetime.fromisoformat(said))
        except ValueError:
            return None
