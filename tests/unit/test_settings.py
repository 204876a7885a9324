"""The settings and their list for people, ``.env.example``, are the same; what cannot be is refused in words."""

import re

import pytest
from pydantic import SecretStr, ValidationError

from enrollment_crm.settings import CHECKOUT, Settings

ENTRY = re.compile(r"^#?(CRM_[A-Z_]+)=(.*)$", re.MULTILINE)
LISTED = dict(ENTRY.findall((CHECKOUT / ".env.example").read_text()))
SECRET = "an unguessable value"


@pytest.fixture(autouse=True)
def no_variables_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sees the variables that it sets, whatever the developer's shell exports."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CRM_{name.upper()}", raising=False)


def test_every_setting_is_listed_and_nothing_else() -> None:
    assert set(LISTED) == {f"CRM_{name.upper()}" for name in Settings.model_fields}


def test_every_variable_is_listed_once() -> None:
    names = [name for name, _ in ENTRY.findall((CHECKOUT / ".env.example").read_text())]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_listed_default_is_the_default(name: str) -> None:
    """A folder of the checkout is listed empty: its address differs from machine to machine."""
    setting, listed = Settings.model_fields[name], LISTED[f"CRM_{name.upper()}"]
    default = setting.default if setting.default_factory is None else getattr(Settings(), name)
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if default is None or str(default).startswith(str(CHECKOUT)):
        default = ""
    assert listed == (str(default).lower() if isinstance(default, bool) else str(default))


def test_the_list_as_it_stands_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Settings()
    for name, value in LISTED.items():
        monkeypatch.setenv(name, value)
    assert Settings() == before


def test_every_entry_is_explained() -> None:
    paragraphs = (CHECKOUT / ".env.example").read_text().split("\n\n")
    entries = [paragraph for paragraph in paragraphs if re.search(r"^#?[A-Z_]+=", paragraph, re.MULTILINE)]
    assert len(entries) > 5
    assert all(paragraph.startswith("# ") for paragraph in entries)


def test_production_is_taken_with_a_secret_and_https() -> None:
    settings = Settings(environment="production", secret_key=SecretStr(SECRET), public_url="https://a.example")
    assert settings.environment == "production"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"secret_key": "development-only"}, "CRM_SECRET_KEY"),
        ({"public_url": "http://a.example"}, "CRM_PUBLIC_URL"),
        ({"as_of": "2026-11-24T10:00:00-05:00"}, "CRM_AS_OF"),
        ({"environment": "stage"}, "environment"),
        ({"environment": "staging", "secret_key": "development-only"}, "staging does not start"),
        ({"transport": "carrier-pigeon"}, "transport"),
        ({"transport": "file"}, "CRM_MAIL_DIRECTORY"),
        ({"transport": "provider"}, "CRM_PROVIDER_KEY"),
        ({"provider_url": "http://api.example"}, "CRM_PROVIDER_URL"),
        ({"smtp_username": "crm"}, "unencrypted"),
        ({"smtp_starttls": "1", "smtp_implicit_tls": "1"}, "not both"),
        ({"accept_log_directory": "a", "accept_log_file": "b"}, "not both"),
        ({"as_of": "2026-11-24T10:00:00", "environment": "development"}, "a zone"),
        ({"lease_in_seconds": "600"}, "CRM_LEASE_IN_SECONDS"),
        ({"smtp_port": "0"}, "smtp_port"),
        ({"trusted_proxies": "nginx"}, "CRM_TRUSTED_PROXIES"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], says: str
) -> None:
    for name, value in {"environment": "production", "secret_key": SECRET, **changes}.items():
        monkeypatch.setenv(f"CRM_{name.upper()}", value)
    with pytest.raises(ValidationError, match=says):
        Settings()


def test_secrets_are_not_shown() -> None:
    settings = Settings(secret_key=SecretStr(SECRET), smtp_password=SecretStr(SECRET), database_url=SecretStr(SECRET))
    assert SECRET not in f"{settings!r} {settings}"


@pytest.mark.parametrize("proxies", ["", "10.0.0.7", "10.1.0.0/16, 2001:db8::/32"])
def test_trusted_proxies_are_addresses_and_networks(proxies: str) -> None:
    assert Settings(trusted_proxies=proxies).trusted_proxies == proxies


def test_domains_are_compared_in_lower_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_MAIL_DOMAIN", "CRM.Example.edu")
    monkeypatch.setenv("CRM_MESSAGES_A_MINUTE", '{"Gmail.com": 60}')
    settings = Settings()
    assert (settings.mail_domain, settings.messages_a_minute) == ("crm.example.edu", {"gmail.com": 60})


@pytest.mark.parametrize("text", ["soon", "2026-11-24", "2026-11-24T10:00:00"])
def test_an_instant_without_hour_or_zone_is_refused_with_an_example(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_AS_OF", text)
    with pytest.raises(ValidationError, match="Write for example 2026-11-24T10:00:00-05:00"):
        Settings()
