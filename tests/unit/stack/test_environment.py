"""What children of the stack find in their environment."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from enrollment_crm.settings import Settings
from enrollment_crm.stack.environment import variables_of
from enrollment_crm.stack.launch import environment_for_children


def test_children_read_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.model_validate(
        {
            "home_directory": "/srv/crm",
            "database_url": "postgresql+psycopg://postgres@/crm?host=%2Frun",
            "secret_key": "s3cret",
            "as_of": "2026-11-24T10:00:00-05:00",
            "smtp_starttls": True,
            "smtp_port": 2525,
            "drop_directory": Path("/srv/drop"),
        }
    )
    for name, value in variables_of(settings).items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


def test_filled_in_settings_too(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings().model_copy(update={"database_url": SecretStr("postgresql://x"), "public_port": 8123})
    for name, value in variables_of(settings).items():
        monkeypatch.setenv(name, value)
    assert Settings().database_url.get_secret_value() == "postgresql://x"
    assert Settings().public_port == 8123


def test_defaults_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRM_SENDER_NAME", raising=False)
    assert "CRM_SENDER_NAME" not in variables_of(Settings())


@pytest.mark.parametrize(
    "name",
    [
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
        "AIRFLOW_HOME",
        "CRM_STACK_ID",
        "CRM_DATABASE_URL",
        "PYTHONDONTWRITEBYTECODE",
    ],
)
def test_what_children_must_not_inherit(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "from outside")
    assert name not in environment_for_children()


def test_loopback_needs_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "school.example")
    monkeypatch.delenv("NO_PROXY", raising=False)
    environment = environment_for_children()
    assert environment["no_proxy"] == "school.example,127.0.0.1,localhost"
    assert environment["NO_PROXY"] == "127.0.0.1,localhost"
