"""The mail setup, looked at from all sides: what works, what does not, and what to do."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.freshness import judge
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.setup_checks import SetupCheck
from enrollment_crm.mail.dns import DnsSilent
from enrollment_crm.mail.public_site import SiteUnreachable, post_way_out
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.freshness import deliveries_of
from enrollment_crm.storage.schema import current_revision, newest_revision
from enrollment_crm.workflows.mail_setup import MailSetup
from enrollment_crm.workflows.relay_checks import check_accept_log, check_relay
from enrollment_crm.workflows.sender_checks import (
    check_dkim_key,
    check_dkim_signature,
    check_dmarc,
    check_ptr,
    check_spf,
)

_SHORTEST_SECRET_IN_OCTETS = 32
_FEWEST_DIFFERENT_OCTETS = 10
_CLOCKS_MAY_DIFFER_BY = timedelta(seconds=30)

Check = Callable[[], Iterator[SetupCheck]]


def check_setup(setup: MailSetup, *, now: datetime) -> list[SetupCheck]:
    """Look at everything; what cannot be asked is said, and stops nothing else.

    Args:
        now: the clock of this machine, which others are compared with.
    """
    check_aware(now)
    checks: list[tuple[str, Check]] = [
        ("SPF", partial(check_spf, setup)),
        ("PTR", partial(check_ptr, setup)),
        ("DKIM key", partial(check_dkim_key, setup)),
        ("DKIM signature", partial(check_dkim_signature, setup)),
        ("DMARC", partial(check_dmarc, setup)),
        ("relay", partial(check_relay, setup, now=now)),
        ("accept log", partial(check_accept_log, setup, now=now)),
        ("public site", partial(_check_site, setup, now=now)),
        ("secret key", partial(_check_secret, setup)),
        ("postal address", partial(_check_postal_address, setup)),
        ("drop folders", partial(_check_drop_folders, setup)),
        ("database", partial(_check_database, setup, now=now)),
    ]
    # A provider has addresses and a relay of its own; files have none.
    if setup.transport != "smtp":
        checks = [one for one in checks if one[0] not in ("SPF", "PTR", "relay", "accept log")]
    return [found for matter, check in checks for found in _asked(matter, check)]


def _asked(matter: str, check: Check) -> Iterator[SetupCheck]:
    try:
        yield from check()
    except DnsSilent as error:
        yield SetupCheck.not_asked(matter, str(error), "Ask again, or name a resolver: --resolver 9.9.9.9.")


def _check_site(setup: MailSetup, *, now: datetime) -> Iterator[SetupCheck]:
    matter, url = "one-click way out", setup.public_url
    if not url.startswith("https://"):
        judge_it = SetupCheck.problem if setup.is_production else SetupCheck.warning
        remedy = "Put a proxy with a certificate in front, and set CRM_PUBLIC_URL to its https address."
        yield judge_it("public site", f"{url} is not https: mail programs do not take it (RFC 8058).", remedy)
    try:
        answer = post_way_out(url)
    except SiteUnreachable as error:
        yield SetupCheck.problem("public site", f"{url}: {error}", "Start the public app, or correct CRM_PUBLIC_URL.")
        return
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        remedy = "Let CRM_PUBLIC_URL be the address at which the site answers itself: www, https, trailing slash."
        yield SetupCheck.problem(matter, f"A POST is redirected ({answer.status}): RFC 8058 forbids that.", remedy)
    elif answer.status != HTTPStatus.NOT_FOUND or not answer.is_ours:
        remedy = "Let the proxy pass POST /unsubscribe/... on, without login, cookie or challenge."
        yield SetupCheck.problem(matter, f"Something else than our site answers a POST ({answer.status}).", remedy)
    else:
        yield SetupCheck.ok(matter, f"{url} takes a POST, without redirect and without cookie.")
    if answer.at is not None:
        yield _judge_clock("clock", answer.at, now, f"the site at {url}")


def _check_secret(setup: MailSetup) -> Iterator[SetupCheck]:
    secret = setup.secret
    if len(secret) < _SHORTEST_SECRET_IN_OCTETS or len(set(secret)) < _FEWEST_DIFFERENT_OCTETS:
        judge_it = SetupCheck.problem if setup.is_production else SetupCheck.warning
        remedy = "`openssl rand -hex 32`. Links in emails that were sent before break with a change."
        yield judge_it("secret key", "CRM_SECRET_KEY can be guessed: unsubscribe links could be forged.", remedy)
    else:
        yield SetupCheck.ok("secret key", f"It has {len(secret)} characters.")


def _check_postal_address(setup: MailSetup) -> Iterator[SetupCheck]:
    if not setup.postal_address.strip() or setup.postal_address == setup.sample_postal_address:
        judge_it = SetupCheck.problem if setup.is_production else SetupCheck.warning
        remedy = "Set CRM_POSTAL_ADDRESS to the address of the school: marketing mail must show it (CAN-SPAM)."
        yield judge_it("postal address", "It is empty, or still the one of the sample.", remedy)
    else:
        yield SetupCheck.ok("postal address", "It is set.")


def _check_drop_folders(setup: MailSetup) -> Iterator[SetupCheck]:
    folder = setup.drop_directory
    try:
        inside = sorted(one.name for one in folder.iterdir() if one.is_dir())
    except FileNotFoundError:
        remedy = "Make it, or set CRM_DROP_DIRECTORY, where other systems shall drop files."
        yield SetupCheck.not_asked("drop folders", f"There is no folder {folder}.", remedy)
        return
    except OSError as error:
        remedy = "Let CRM_DROP_DIRECTORY be a folder that the pipeline may read and write."
        yield SetupCheck.problem("drop folders", f"{folder} cannot be read ({type(error).__name__}).", remedy)
        return
    if inside:
        yield SetupCheck.ok("drop folders", f"{folder} has {', '.join(inside)}.")
    else:
        remedy = "Make one folder a source in it, named after its file in config/sources/."
        yield SetupCheck.warning("drop folders", f"{folder} has no folder of a source.", remedy)


def _check_database(setup: MailSetup, *, now: datetime) -> Iterator[SetupCheck]:
    if setup.engine is None:
        yield SetupCheck.problem("database", "No database is named.", "Set CRM_DATABASE_URL.")
        return
    try:
        with transaction(setup.engine) as connection:
            revision, wanted = current_revision(connection), newest_revision()
            its_clock = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
            if revision != wanted:
                remedy = "Run `enrollment-crm db upgrade`."
                yield SetupCheck.problem("database", f"It has revision {revision}, this code {wanted}.", remedy)
                return
            sources = [one.source for one in setup.freshness.sources]
            deliveries = deliveries_of(connection, sources, kind=RecordKind.APPLICATION.value) if sources else {}
    except SQLAlchemyError as error:
        remedy = "Check CRM_DATABASE_URL, and that the database is up."
        yield SetupCheck.problem("database", f"It does not answer ({type(error).__name__}).", remedy)
        return
    yield SetupCheck.ok("database", f"It answers, with revision {revision}.")
    yield _judge_clock("clock of the database", its_clock, now, "the database")
    gate = judge(setup.freshness, deliveries, now)
    if gate.is_closed:
        remedy = "Let the feed deliver: until then reminders and invitations are held."
        yield SetupCheck.problem("feeds", f"Stale: {gate.reason}.", remedy)
    else:
        yield SetupCheck.ok("feeds", gate.in_words())


def _judge_clock(matter: str, theirs: datetime, now: datetime, whose: str) -> SetupCheck:
    apart = abs(theirs - now)
    if apart > _CLOCKS_MAY_DIFFER_BY:
        remedy = "Turn on NTP (chrony) on both machines: leases and reminders go by the clock."
        return SetupCheck.problem(matter, f"{whose} and this machine are {apart.total_seconds():.0f} s apart.", remedy)
    return SetupCheck.ok(matter, f"{whose} and this machine agree.")
