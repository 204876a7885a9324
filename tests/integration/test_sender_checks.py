"""SPF, DKIM, DMARC and PTR, asked of a real name server on loopback; signatures by dkimpy over what SMTP carried."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.integration.dns_server import DnsServer, running_dns_server
from tests.integration.test_wire import NOON, message, sent
from tests.integration.wire import running_wire

from enrollment_crm.bootstrap import mail_setup_of
from enrollment_crm.domain.setup_checks import SetupCheck, Verdict
from enrollment_crm.mail.dkim_signatures import signatures_of
from enrollment_crm.mail.smtp import SmtpTransport
from enrollment_crm.mail.smtp_session import SmtpOptions
from enrollment_crm.mail.spf import SpfResult, evaluate_spf
from enrollment_crm.settings import Settings
from enrollment_crm.workflows.mail_setup import MailSetup
from enrollment_crm.workflows.sender_checks import (
    check_dkim_key,
    check_dkim_signature,
    check_dmarc,
    check_ptr,
    check_spf,
)
from enrollment_crm.workflows.setup_checks import check_setup

RELAY = "198.51.100.7"
KEY_NAME = "crm2026._domainkey.crm.example"
WAY_OUT = [b"list-unsubscribe", b"list-unsubscribe-post"]
OPENDKIM_DEFAULT = [b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type", WAY_OUT[0]]


@pytest.fixture(scope="module")
def keys() -> tuple[bytes, str]:
    """A private key in PEM, and its record for DNS."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem, f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


@pytest.fixture
def server(keys: tuple[bytes, str]) -> Iterator[DnsServer]:
    """A name server that knows a setup in which everything is right."""
    with running_dns_server() as one:
        one.text("crm.example", "v=spf1 include:_spf.relay.example -all", "another text")
        one.text("_spf.relay.example", f"v=spf1 ip4:{RELAY}/32 ?all")
        one.text("_dmarc.crm.example", "v=DMARC1; p=quarantine; rua=mailto:dmarc@crm.example")
        one.text(KEY_NAME, keys[1])
        one.records["7.100.51.198.in-addr.arpa", "PTR"] = ["relay.crm.example."]
        one.records["relay.crm.example", "A"] = [RELAY]
        yield one


@pytest.fixture
def setup(server: DnsServer) -> MailSetup:
    settings = Settings(
        sender_address="admissions@crm.example",
        mail_domain="crm.example",
        relay_addresses=RELAY,
        dkim_selector="crm2026",
    )
    return mail_setup_of(settings, None, dns=server.client)


def verdicts(checks: Iterator[SetupCheck]) -> list[str]:
    return [one.verdict.value for one in checks]


def signed(keys: tuple[bytes, str], headers: list[bytes], *, marketing: bool = True, length: bool = False) -> bytes:
    """A message as it arrives: signed as OpenDKIM does, sent by our transport, read back from the socket."""
    outgoing = message(marketing=marketing, text="Hello\n.\n..dots\n")
    signature = dkim.sign(
        outgoing.content, b"crm2026", b"crm.example", keys[0], include_headers=headers, length=length,
        canonicalize=(b"relaxed", b"simple"),
    )  # fmt: skip
    with running_wire() as wire:
        transport = SmtpTransport(SmtpOptions(host="127.0.0.1", port=wire.port, helo_name="crm.example"))
        letter = sent(wire, transport, replace(outgoing, content=signature + outgoing.content))
        transport.close()
    return letter.content


# ---- DKIM


def test_a_signature_over_both_unsubscribe_headers_survives_smtp(
    setup: MailSetup, server: DnsServer, keys: tuple[bytes, str]
) -> None:
    content = signed(keys, [*OPENDKIM_DEFAULT, WAY_OUT[1]])
    (signature,) = signatures_of(content, server.client)
    assert signature.holds
    assert {name.decode() for name in WAY_OUT} <= signature.signed
    assert verdicts(check_dkim_signature(replace(setup, message=content))) == ["ok", "ok"]


def test_a_signature_without_the_post_header_is_a_problem(setup: MailSetup, keys: tuple[bytes, str]) -> None:
    """OpenDKIM signs List-Unsubscribe by default, and List-Unsubscribe-Post only when told."""
    content = signed(keys, OPENDKIM_DEFAULT)
    checks = list(check_dkim_signature(replace(setup, message=content)))
    assert verdicts(iter(checks)) == ["ok", "problem"]
    assert "List-Unsubscribe-Post not signed" in checks[1].finding
    assert "OversignHeaders" in checks[1].remedy


def test_a_receipt_that_signs_neither_is_a_warning(setup: MailSetup, keys: tuple[bytes, str]) -> None:
    content = signed(keys, OPENDKIM_DEFAULT[:5], marketing=False)
    assert verdicts(check_dkim_signature(replace(setup, message=content))) == ["ok", "warning"]


@pytest.mark.parametrize("change", [(b"Hello", b"Hullo"), (b"Subject: Your", b"Subject: My")])
def test_a_message_that_was_changed_does_not_verify(
    setup: MailSetup, keys: tuple[bytes, str], change: tuple[bytes, bytes]
) -> None:
    content = signed(keys, [*OPENDKIM_DEFAULT, WAY_OUT[1]]).replace(*change)
    (check,) = check_dkim_signature(replace(setup, message=content))
    assert (check.verdict, "does not verify" in check.finding) == (Verdict.PROBLEM, True)


def test_a_part_of_the_body_is_not_enough(setup: MailSetup, keys: tuple[bytes, str]) -> None:
    content = signed(keys, [*OPENDKIM_DEFAULT, WAY_OUT[1]], length=True)
    assert verdicts(check_dkim_signature(replace(setup, message=content))) == ["ok", "ok", "warning"]


def test_a_signature_of_somebody_else_does_not_count(setup: MailSetup, keys: tuple[bytes, str]) -> None:
    content = signed(keys, OPENDKIM_DEFAULT).replace(b"d=crm.example", b"d=relay.example")
    (check,) = check_dkim_signature(replace(setup, message=content))
    assert (check.verdict, "relay.example" in check.finding) == (Verdict.PROBLEM, True)
    assert verdicts(check_dkim_signature(replace(setup, message=message().content))) == ["problem"]
    assert verdicts(check_dkim_signature(setup)) == ["could_not_be_asked"]


def test_a_file_with_unix_line_ends_is_read_as_the_message_that_it_was(
    setup: MailSetup, keys: tuple[bytes, str]
) -> None:
    content = signed(keys, [*OPENDKIM_DEFAULT, WAY_OUT[1]]).replace(b"\r\n", b"\n")
    assert verdicts(check_dkim_signature(replace(setup, message=content))) == ["ok", "ok"]


@pytest.mark.parametrize("rubbish", [b"", b"\xff\x00", b"DKIM-Signature: d=crm.example; b=!\nFrom: <>\n\n"])
def test_whatever_is_given_as_a_message_is_survived(setup: MailSetup, rubbish: bytes) -> None:
    assert verdicts(check_dkim_signature(replace(setup, message=rubbish))) == ["problem"]


@pytest.mark.parametrize(
    ("record", "verdict"), [(None, "problem"), ("v=DKIM1; p=", "problem"), ("v=DKIM1; p=%%%", "problem"), ("", "ok")]
)
def test_the_key_record(setup: MailSetup, server: DnsServer, record: str | None, verdict: str) -> None:
    if record is None:
        del server.records[KEY_NAME, "TXT"]
    elif record:
        server.text(KEY_NAME, record)
    assert verdicts(check_dkim_key(setup)) == [verdict]


# ---- SPF


@pytest.mark.parametrize(
    ("record", "address", "result"),
    [
        (f"v=spf1 ip4:{RELAY} -all", RELAY, SpfResult.PASS),
        ("v=spf1 ip4:198.51.100.0/24 -all", RELAY, SpfResult.PASS),
        ("v=spf1 ip6:2001:db8::/32 -all", "2001:db8::1", SpfResult.PASS),
        ("v=spf1 a:relay.crm.example -all", RELAY, SpfResult.PASS),
        ("v=spf1 a:relay.crm.example/24 -all", "198.51.100.99", SpfResult.PASS),
        ("v=spf1 mx ~all", RELAY, SpfResult.PASS),
        ("v=spf1 redirect=_spf.relay.example", RELAY, SpfResult.PASS),
        ("v=spf1 ip4:203.0.113.1 -all", RELAY, SpfResult.FAIL),
        ("v=spf1 ip4:203.0.113.1 ~all", RELAY, SpfResult.SOFTFAIL),
        ("v=spf1 ?all", RELAY, SpfResult.NEUTRAL),
        ("v=spf1", RELAY, SpfResult.NEUTRAL),
        ("v=spf1 -include:_spf.relay.example +all", RELAY, SpfResult.FAIL),
        ("v=spf1 include:nowhere.example -all", RELAY, SpfResult.PERMERROR),
        ("v=spf1 include:crm.example -all", RELAY, SpfResult.PERMERROR),
        ("v=spf1 ip4:nonsense -all", RELAY, SpfResult.PERMERROR),
        ("v=spf1 ipv4:198.51.100.7 -all", RELAY, SpfResult.PERMERROR),
        (f"v=spf1 {'a:relay.crm.example ' * 0}{' '.join(['a:x.example'] * 11)} -all", RELAY, SpfResult.PERMERROR),
        (f"v=spf1 {' '.join(['a:x.example'] * 10)} ip4:{RELAY} -all", RELAY, SpfResult.PASS),
        ("v=spf10 -all", RELAY, SpfResult.NONE),
    ],
)
def test_what_a_receiver_concludes(server: DnsServer, record: str, address: str, result: SpfResult) -> None:
    server.text("crm.example", record)
    server.records["crm.example", "MX"] = ["10 relay.crm.example."]
    assert evaluate_spf(server.client, "crm.example", address).result is result


def test_two_records_are_one_too_many(setup: MailSetup, server: DnsServer) -> None:
    server.text("crm.example", "v=spf1 -all", "v=spf1 +all")
    (check,) = check_spf(setup)
    assert (check.verdict, "one is allowed" in check.finding) == (Verdict.PROBLEM, True)


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        (None, Verdict.OK),
        ("v=spf1 -all", Verdict.PROBLEM),
        ("no record", Verdict.PROBLEM),
        ("v=spf1 exists:%{i}.spf.example -all", Verdict.WARNING),
        (f"v=spf1 {' '.join(['a:x.example'] * 9)} ip4:{RELAY} -all", Verdict.WARNING),
    ],
)
def test_spf_is_judged(setup: MailSetup, server: DnsServer, record: str | None, verdict: Verdict) -> None:
    if record:
        server.text("crm.example", record)
    (check,) = check_spf(setup)
    assert check.verdict is verdict
    assert bool(check.remedy) is (verdict is not Verdict.OK)


# ---- DMARC, PTR, silence


@pytest.mark.parametrize(
    ("record", "envelope", "verdict"),
    [
        ("v=DMARC1; p=reject; rua=mailto:a@b.example", "crm.example", ["ok", "ok"]),
        ("v=DMARC1; p=reject; rua=mailto:a@b.example", "bounces.crm.example", ["ok", "ok"]),
        ("v=DMARC1; p=reject; aspf=s; rua=mailto:a@b.example", "bounces.crm.example", ["ok", "warning"]),
        ("v=DMARC1; p=reject; rua=mailto:a@b.example", "relay.example", ["ok", "warning"]),
        ("v=DMARC1; p=none", "crm.example", ["warning", "warning", "ok"]),
        ("v=spf1", "crm.example", ["problem"]),
    ],
)
def test_dmarc_and_alignment(
    setup: MailSetup, server: DnsServer, record: str, envelope: str, verdict: list[str]
) -> None:
    server.text("_dmarc.crm.example", record)
    assert verdicts(check_dmarc(replace(setup, envelope_domain=envelope))) == verdict


def test_the_policy_of_the_domain_above_counts(setup: MailSetup, server: DnsServer) -> None:
    server.text("_dmarc.crm.example", "v=DMARC1; p=reject; sp=none; rua=mailto:a@b.example")
    below = replace(setup, author_domain="mail.crm.example")
    assert verdicts(check_dmarc(below)) == ["warning", "ok"]


def test_a_relay_has_a_name_that_leads_back(setup: MailSetup, server: DnsServer) -> None:
    assert verdicts(check_ptr(setup)) == ["ok"]
    server.records["relay.crm.example", "A"] = ["198.51.100.8"]
    assert verdicts(check_ptr(setup)) == ["problem"]
    del server.records["7.100.51.198.in-addr.arpa", "PTR"]
    assert verdicts(check_ptr(setup)) == ["problem"]


def test_silence_is_said_and_stops_nothing(setup: MailSetup, server: DnsServer) -> None:
    server.silent |= {"crm.example", "_dmarc.crm.example"}
    found = check_setup(replace(setup, public_url="http://127.0.0.1:1"), now=NOON)
    by_matter = {one.matter: one.verdict for one in found}
    assert by_matter["SPF"] is by_matter["DMARC"] is Verdict.NOT_ASKED
    assert by_matter["PTR"] is by_matter["DKIM key"] is Verdict.OK


def test_no_question_leaves_for_another_server(setup: MailSetup, server: DnsServer) -> None:
    list(check_spf(setup))
    assert server.questions == ["TXT crm.example", "TXT _spf.relay.example"]


def test_the_newest_message_of_the_accept_log_is_looked_at(tmp_path: Path, server: DnsServer) -> None:
    for folder in ("new", "cur", "tmp"):
        (tmp_path / folder).mkdir()
    settings = Settings(accept_log_directory=tmp_path)
    assert mail_setup_of(settings, None, dns=server.client).message is None
    (tmp_path / "cur" / "1:2,S").write_bytes(b"From: a@crm.example\r\n\r\nx")
    assert mail_setup_of(settings, None, dns=server.client).message == b"From: a@crm.example\r\n\r\nx"
