"""Credentials of sources that Airflow keeps."""

from typing import Any

import pytest
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from enrollment_crm.orchestration.connections import airflow_connection


def test_a_connection_gives_address_user_and_password(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Connection(
        conn_id="org", conn_type="http", host="org.example", login="client", password="canary", extra='{"a": "b"}'
    )
    monkeypatch.setattr(Connection, "get", lambda _: kept)
    found = airflow_connection("org")
    assert found is not None
    assert (found.address, found.user, found.password) == ("https://org.example", "client", "canary")
    assert found.extra == {"a": "b"}
    assert "canary" not in repr(found)


def test_a_connection_that_is_not_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def get(conn_id: str) -> Any:
        raise AirflowNotFoundException(conn_id)

    monkeypatch.setattr(Connection, "get", get)
    assert airflow_connection("org") is None
