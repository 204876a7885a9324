"""Where addresses and credentials of sources stand: in settings, in the environment, or in Airflow connections."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from pydantic import SecretStr

from enrollment_crm.domain.sources import ConnectionDetails, Reference, Source, Transport
from enrollment_crm.settings import Settings
from enrollment_crm.sources.connections import connection_in
from enrollment_crm.sources.feed_errors import FeedRefusedError
from enrollment_crm.sources.salesforce import SalesforceQuery
from enrollment_crm.sources.slate import SlateQuery

#: Gives the connection of an id; None: there is none.
Connections: TypeAlias = Callable[[str], ConnectionDetails | None]

_PREFIX = "CRM_"


def has_address(settings: Settings, source: Source, environment: Mapping[str, str] = os.environ) -> bool:
    """The source has somewhere to be pulled from. A connection that a file names is taken to be there."""
    address = source.address
    if isinstance(address, Reference) and address.environment:
        return bool(_variable(settings, address.environment, environment))
    return bool(address)


def query_of(
    settings: Settings,
    source: Source,
    connections: Connections | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Callable[[], SlateQuery | SalesforceQuery]:
    """Makes the query of a pulled source. References are followed when it is asked, and not before.

    Raises:
        FeedRefusedError: when it is asked; a reference leads nowhere.
    """
    lookup = _Lookup(settings, source, connections or partial(connection_in, environment), environment)
    return partial(_query, source, lookup.value)


def _query(source: Source, resolve: Callable[[str, Reference], str]) -> SlateQuery | SalesforceQuery:
    address = source.address
    url = resolve("address", address) if isinstance(address, Reference) else address or ""
    given = _credentials(source, resolve)
    where = _file_of(source)
    if source.transport is Transport.SALESFORCE_REST:
        return SalesforceQuery(
            url=url,
            soql=source.query,
            api_version=source.api_version,
            rows_a_page=source.pagination.rows_a_page,
            where=where,
            **given,
        )
    return SlateQuery(
        url=url,
        where=where,
        page_parameter=source.pagination.parameter,
        since_parameter=source.high_water.parameter if source.high_water else "",
        **given,
    )


def _credentials(source: Source, resolve: Callable[[str, Reference], str]) -> dict[str, str]:
    """Each credential by its name. A connection means by its user and password what the transport needs."""
    connection = source.credentials.get("connection")
    if connection is None:
        return {part: resolve(part, reference) for part, reference in source.credentials.items()}
    user, password = resolve("user", connection), resolve("password", connection)
    if not password:
        raise FeedRefusedError(f"{connection} holds no password: put the key or secret there, see {_file_of(source)}.")
    if source.transport is Transport.SALESFORCE_REST:
        return {"client_id": user, "client_secret": password} if user else {"token": password}
    return {"user": user, "password": password} if user else {"key": password}


@dataclass(frozen=True)
class _Lookup:
    settings: Settings
    source: Source
    connections: Connections
    environment: Mapping[str, str] = field(repr=False)

    def value(self, part: str, reference: Reference) -> str:
        """What a reference leads to: for a connection, that part of it."""
        if reference.environment:
            return self._of_variable(part, reference.environment)
        details = self.connections(reference.connection)
        if details is None:
            raise FeedRefusedError(
                f"There is no connection {reference.connection!r} that can be read, which {_file_of(self.source)} "
                f"names: add it in Airflow, or set AIRFLOW_CONN_{reference.connection.upper()}, as a URI or as JSON."
            )
        return {"user": details.user, "password": details.password}.get(part, details.address).strip()

    def _of_variable(self, part: str, name: str) -> str:
        value = _variable(self.settings, name, self.environment)
        if not value:
            raise FeedRefusedError(f"{name} is not set: {_file_of(self.source)} names it for its {part}.")
        return value


def _variable(settings: Settings, name: str, environment: Mapping[str, str]) -> str:
    """A setting of ours where the name is one, and otherwise what the environment says."""
    setting = name.removeprefix(_PREFIX).lower()
    if name.startswith(_PREFIX) and setting in Settings.model_fields:
        value = getattr(settings, setting)
        return (value.get_secret_value() if isinstance(value, SecretStr) else str(value or "")).strip()
    return environment.get(name, "").strip()


def _file_of(source: Source) -> str:
    return f"config/sources/{source.name}.yml"
