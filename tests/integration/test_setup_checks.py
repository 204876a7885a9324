"""The relay, the site, the database and the settings, looked at as `check-setup` does: on real sockets of loopback."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from fastapi.testclient import TestClient
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from sqlalchemy import Engine, text
from tests.integration.dns_server import running_dns_server
from typer.testing import CliRunner
from werkzeug import Response

from enrollment_crm.bootstrap import mail_setup_of
from enrollment_crm.cli import app
from enrollment_crm.domain.freshness import FeedWatch, WatchedSource
from enrollment_crm.domain.setup_checks import SetupCheck, Verdict
from enrollment_crm.mail.accept_log import MaildirAcceptLog
from enrollment_crm.mail.dns import Dns
from enrollment_crm.mail.smtp_session import SmtpOptions
from enrollment_crm.settings import Settings
from enrollment_crm.stack.ports import free_port
from enrollment_crm.storage.engine import connect, transaction
from enrollment_crm.storage.freshness import note_first_seen
from enrollment_crm.storage.schema import newest_revision
from enrollment_crm.web.public.app import parts_of
from enrollment_crm.web.public.site import build_site
from enrollment_crm.workflows.mail_setup import MailSetup
from enrollment_crm.workflows.relay_checks import check_accept_log, check_relay
from enrollment_crm.workflows.setup_checks import check_setup

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
OUR_PAGE = "<h1>This link is not complete</h1>"


@pytest.fixture
def dns() -> Iterator[Dns]:
    """A name server that knows nothing."""
    with running_dns_server() as server:
        yield server.client


@pytest.fixture
def setup(dns: Dns, engine: Engine) -> MailSetup:
    return mail_setup_of(Settings(public_url="http://127.0.0.1:1"), engine, dns=dns)


def found(setup: MailSetup, matter: str, *, now: datetime = NOON) -> list[SetupCheck]:
    return [one for one in check_setup(setup, now=now) if one.matter == matter]


def verdict(setup: MailSetup, matter: str, *, now: datetime = NOON) -> Verdict:
    (check,) = found(setup, matter, now=now)
    return check.verdict


# ---- The relay


@contextmanager
def relay(**server: Any) -> Iterator[SmtpOptions]:
    port = free_port()
    controller = Controller(object(), hostname="127.0.0.1", port=port, ready_timeout=10, **server)
    controller.start()
    try:
        yield SmtpOptions(host="127.0.0.1", port=port, helo_name="crm.example", connect_timeout_in_seconds=2)
    finally:
        controller.stop()


@pytest.mark.parametrize(
    ("remaining", "verdict"), [(timedelta(days=90), Verdict.OK), (timedelta(days=3), Verdict.WARNING)]
)
def test_a_relay_with_tls(setup: MailSetup, tmp_path: Path, remaining: timedelta, verdict: Verdict) -> None:
    ca, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    now = datetime.now(UTC)  # noqa: TID251 - a certificate has to be valid by the clock of this machine
    ca.issue_cert("127.0.0.1", not_after=now + remaining).configure_cert(context)
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with relay(tls_context=context, enable_SMTPUTF8=True) as options:
        secured = replace(options, starttls=True, ca_file=tmp_path / "ca.pem")
        checks = {one.matter: one for one in check_relay(replace(setup, relay=secured), now=now)}
        plain = {one.matter: one for one in check_relay(replace(setup, relay=options), now=now)}
        wrong = list(check_relay(replace(setup, relay=replace(options, starttls=True)), now=now))
    assert checks["relay"].verdict is checks["relay SMTPUTF8"].verdict is checks["relay limits"].verdict is Verdict.OK
    assert checks["relay TLS"].verdict is verdict
    assert checks["relay PIPELINING"].verdict is Verdict.WARNING
    assert "CRM_SMTP_STARTTLS=true" in plain["relay TLS"].remedy
    assert [one.verdict for one in wrong] == [Verdict.PROBLEM]
    assert "CRM_SMTP_CA_FILE" in wrong[0].finding


def test_a_small_limit_and_no_smtputf8(setup: MailSetup) -> None:
    with relay(data_size_limit=1000, enable_SMTPUTF8=False) as options:
        checks = {one.matter: one.verdict for one in check_relay(replace(setup, relay=options), now=NOON)}
    assert checks["relay limits"] is Verdict.PROBLEM
    assert checks["relay SMTPUTF8"] is Verdict.WARNING


def test_no_relay(setup: MailSetup) -> None:
    nobody = replace(setup.relay, port=free_port())
    assert [one.verdict for one in check_relay(replace(setup, relay=nobody), now=NOON)] == [Verdict.PROBLEM]


def test_the_accept_log(setup: MailSetup, tmp_path: Path) -> None:
    def verdict_of(log: MaildirAcceptLog | None, now: datetime) -> Verdict:
        (check,) = check_accept_log(replace(setup, accept_log=log), now=now)
        return check.verdict

    log = MaildirAcceptLog(tmp_path)
    assert verdict_of(None, NOON) is Verdict.WARNING
    assert verdict_of(log, NOON) is Verdict.PROBLEM
    for folder in ("new", "cur"):
        (tmp_path / folder).mkdir()
    written = log.last_entry_at()
    assert written is not None
    assert verdict_of(log, written) is Verdict.OK
    assert verdict_of(log, written + timedelta(days=3)) is Verdict.WARNING


# ---- The site


@pytest.mark.parametrize(
    ("answer", "verdict", "says"),
    [
        (Response(OUR_PAGE, 404), Verdict.OK, "takes a POST"),
        (Response("", 301, headers={"Location": "https://www.crm.example/"}), Verdict.PROBLEM, "redirected"),
        (Response("sign in", 401), Verdict.PROBLEM, "401"),
        (Response("are you human?", 200), Verdict.PROBLEM, "200"),
        (Response("nginx", 404), Verdict.PROBLEM, "404"),
        (Response("", 405), Verdict.PROBLEM, "405"),
    ],
)
def test_the_one_click_endpoint_takes_a_post(
    setup: MailSetup, httpserver: HTTPServer, answer: Response, verdict: Verdict, says: str
) -> None:
    httpserver.expect_request("/unsubscribe/check-setup", method="POST").respond_with_response(answer)
    site = replace(setup, public_url=httpserver.url_for("").rstrip("/"))
    (check,) = found(site, "one-click way out")
    assert check.verdict is verdict
    assert says in check.finding
    (request, _), *_ = httpserver.log
    assert (request.form.to_dict(), request.cookies) == ({"List-Unsubscribe": "One-Click"}, {})


def test_the_real_site_passes(setup: MailSetup, engine: Engine) -> None:
    """The page that is looked for is the one that our own site answers with."""
    settings = Settings(database_url=SecretStr(engine.url.render_as_string(hide_password=False)))
    client = TestClient(build_site(parts_of(settings)), follow_redirects=False)
    answer = client.post("/unsubscribe/check-setup", data={"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, "This link is not complete" in answer.text) == (404, True)


@pytest.mark.parametrize("is_production", [True, False])
def test_a_site_without_https(setup: MailSetup, httpserver: HTTPServer, is_production: bool) -> None:
    httpserver.expect_request("/unsubscribe/check-setup").respond_with_data(OUR_PAGE, status=404)
    site = replace(setup, public_url=httpserver.url_for(""), is_production=is_production)
    assert verdict(site, "public site") is (Verdict.PROBLEM if is_production else Verdict.WARNING)


def test_a_site_that_does_not_answer(setup: MailSetup) -> None:
    assert [one.verdict for one in found(setup, "public site")] == [Verdict.WARNING, Verdict.PROBLEM]


# ---- The rest


def test_the_database_is_up_to_date_and_its_clock_right(setup: MailSetup, engine: Engine) -> None:
    with transaction(engine) as connection:
        its_clock = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    assert verdict(setup, "database", now=its_clock) is Verdict.OK
    assert verdict(setup, "clock of the database", now=its_clock) is Verdict.OK
    assert verdict(setup, "clock of the database", now=its_clock + timedelta(minutes=2)) is Verdict.PROBLEM
    assert verdict(setup, "feeds", now=its_clock) is Verdict.OK


def test_a_database_that_is_behind_or_away(setup: MailSetup, engine: Engine) -> None:
    away = connect(f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/none?connect_timeout=2")
    assert verdict(replace(setup, engine=away), "database") is Verdict.PROBLEM
    assert verdict(replace(setup, engine=None), "database") is Verdict.PROBLEM
    with transaction(engine) as connection:
        newest = connection.execute(text("UPDATE alembic_version SET version_num = 'x' RETURNING 1")).scalar_one()
    try:
        (check,) = found(setup, "database")
    finally:
        with transaction(engine) as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": newest_revision()})
    assert newest == 1
    assert (check.verdict, "db upgrade" in check.remedy) == (Verdict.PROBLEM, True)


def test_a_stale_feed(setup: MailSetup, engine: Engine) -> None:
    with transaction(engine) as connection:
        note_first_seen(connection, ["slate"], at=NOON - timedelta(days=3))
    watched = FeedWatch((WatchedSource("slate", timedelta(hours=24)),), judged_at=NOON)
    assert verdict(replace(setup, freshness=watched), "feeds") is Verdict.PROBLEM
    patient = FeedWatch((WatchedSource("slate", timedelta(days=7)),), judged_at=NOON)
    assert verdict(replace(setup, freshness=patient), "feeds") is Verdict.OK


@pytest.mark.parametrize(
    ("secret", "verdict_in_production"),
    [(b"development-only", Verdict.PROBLEM), (b"a" * 64, Verdict.PROBLEM), (b"0123456789abcdef" * 4, Verdict.OK)],
)
def test_a_secret_that_can_be_guessed(setup: MailSetup, secret: bytes, verdict_in_production: Verdict) -> None:
    assert verdict(replace(setup, secret=secret, is_production=True), "secret key") is verdict_in_production


@pytest.mark.parametrize(
    ("address", "result"), [("", Verdict.PROBLEM), ("1 Elm Street, Boston", Verdict.OK), (None, Verdict.PROBLEM)]
)
def test_the_postal_address_of_the_sample_is_nobodys(setup: MailSetup, address: str | None, result: Verdict) -> None:
    shown = setup.sample_postal_address if address is None else address
    assert verdict(replace(setup, postal_address=shown, is_production=True), "postal address") is result


def test_drop_folders(setup: MailSetup, tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    dropped = replace(setup, drop_directory=folder)
    assert verdict(dropped, "drop folders") is Verdict.NOT_ASKED
    folder.touch()
    assert verdict(dropped, "drop folders") is Verdict.PROBLEM
    folder.unlink()
    folder.mkdir()
    assert verdict(dropped, "drop folders") is Verdict.WARNING
    (folder / "webadmit").mkdir()
    assert verdict(dropped, "drop folders") is Verdict.OK


def test_a_provider_has_a_relay_of_its_own(setup: MailSetup) -> None:
    matters = {one.matter for one in check_setup(replace(setup, transport="provider"), now=NOON)}
    assert not matters & {"SPF", "PTR", "relay", "accept log"}
    assert {"DMARC", "database", "secret key"} <= matters


def test_the_command(setup: MailSetup, dns: Dns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_PUBLIC_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("CRM_SMTP_PORT", str(free_port()))
    command = ["check-setup", "--resolver", dns.servers[0]]
    told = CliRunner().invoke(app, [*command, "--json"])
    assert told.exit_code == 1
    answer = json.loads(told.stdout)
    assert answer["problem"] is True
    assert {one["verdict"] for one in answer["checks"]} <= {one.value for one in Verdict}
    assert all(one["remedy"] for one in answer["checks"] if one["verdict"] != "ok")
    table = CliRunner().invoke(app, command)
    assert table.exit_code == 1
    assert "problem relay" in table.stdout
