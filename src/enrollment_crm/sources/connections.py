"""Airflow connections of the environment (``AIRFLOW_CONN_ID``), read without Airflow: as a URI, or as JSON."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from enrollment_crm.domain.sources import ConnectionDetails

_PREFIX = "AIRFLOW_CONN_"


def connection_in(environment: Mapping[str, str], connection_id: str) -> ConnectionDetails | None:
    """The connection that the environment names, as Airflow reads it; None: it names none, or not as one can be.

    Its address is an https one unless its ``schema`` says ``http``, because a connection has a type and no protocol.
    """
    text = environment.get(f"{_PREFIX}{connection_id.upper()}", "").strip()
    if not text:
        return None
    try:
        return _of_json(json.loads(text)) if text.startswith("{") else _of_uri(text)
    except (ValueError, AttributeError, TypeError):
        return None


def details_of(
    *,
    host: str | None,
    schema: str | None,
    port: int | None,
    user: str | None,
    password: str | None,
    extra: Mapping[str, Any],
) -> ConnectionDetails:
    """The details of a connection from its parts; a host may be a whole address already."""
    address = host or ""
    if address and "://" not in address:
        protocol = schema if schema in {"http", "https"} else "https"
        address = f"{protocol}://{address}{f':{port}' if port else ''}"
    said = {str(name): str(value) for name, value in extra.items() if isinstance(value, str | int | float)}
    return ConnectionDetails(said.get("address", address), user or "", password or "", said)


def _of_json(content: Mapping[str, Any]) -> ConnectionDetails:
    extra = content.get("extra") or {}
    return details_of(
        host=content.get("host"),
        schema=content.get("schema"),
        port=int(content["port"]) if content.get("port") else None,
        user=content.get("login"),
        password=content.get("password"),
        extra=json.loads(extra) if isinstance(extra, str) else extra,
    )


def _of_uri(text: str) -> ConnectionDetails:
    parts = urlsplit(text)
    extra = dict(parse_qsl(parts.query, keep_blank_values=True))
    return details_of(
        host=unquote(parts.hostname or ""),
        schema=unquote(parts.path.lstrip("/")),
        port=parts.port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        extra=json.loads(extra["__extra__"]) if "__extra__" in extra else extra,
    )
