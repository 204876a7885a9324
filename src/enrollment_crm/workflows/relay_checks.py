"""Whether mail can be handed over, and what was handed over can be found again."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from enrollment_crm.domain.setup_checks import SetupCheck
from enrollment_crm.mail.relay_look import RelayLook, look_at_relay
from enrollment_crm.mail.transport import RelayUnreachable, TransportError
from enrollment_crm.workflows.mail_setup import MailSetup

#: The largest message of ours with a calendar file, several times over.
_SMALLEST_LIMIT_IN_OCTETS = 1_000_000
_CERTIFICATE_SHOULD_LAST = timedelta(days=14)
_ACCEPT_LOG_SHOULD_MOVE = timedelta(days=2)


def check_relay(setup: MailSetup, *, now: datetime) -> Iterator[SetupCheck]:
    """The relay opens a session as workers need it."""
    where = f"{setup.relay.host}:{setup.relay.port}"
    try:
        look = look_at_relay(setup.relay)
    except RelayUnreachable as error:
        yield SetupCheck.problem("relay", str(error), "Start it, or correct CRM_SMTP_HOST and CRM_SMTP_PORT.")
        return
    except TransportError as error:
        yield SetupCheck.problem("relay", str(error), "Correct the settings that begin with CRM_SMTP_.")
        return
    yield SetupCheck.ok("relay", f"{where} takes a session{' and our login' if setup.relay.username else ''}.")
    yield _judge_tls(look, where, now)
    yield from _judge_offers(look)


def _judge_tls(look: RelayLook, where: str, now: datetime) -> SetupCheck:
    if look.certificate_ends is None:
        if "starttls" in look.offers:
            remedy = "Set CRM_SMTP_STARTTLS=true."
            return SetupCheck.warning("relay TLS", f"{where} offers TLS, and it is not used.", remedy)
        remedy = "Only a relay on this machine or in a network of its own may be spoken to like that."
        return SetupCheck.warning("relay TLS", f"Mail goes to {where} unencrypted.", remedy)
    ends = f"{look.certificate_ends:%Y-%m-%d}"
    if look.certificate_ends - now < _CERTIFICATE_SHOULD_LAST:
        remedy = "Renew it before: afterwards nothing is sent."
        return SetupCheck.warning("relay TLS", f"The certificate of {where} ends on {ends}.", remedy)
    return SetupCheck.ok("relay TLS", f"{look.tls_version}; the certificate is valid until {ends}.")


def _judge_offers(look: RelayLook) -> Iterator[SetupCheck]:
    limit = look.largest_message_in_octets
    if limit is not None and limit < _SMALLEST_LIMIT_IN_OCTETS:
        remedy = f"Raise it to {_SMALLEST_LIMIT_IN_OCTETS} (Postfix: message_size_limit)."
        yield SetupCheck.problem("relay limits", f"It takes messages up to {limit} octets only.", remedy)
    else:
        yield SetupCheck.ok("relay limits", f"It takes messages of {limit or 'any number of'} octets.")
    if "smtputf8" in look.offers:
        yield SetupCheck.ok("relay SMTPUTF8", "Addresses with letters of any script before the @ can be written to.")
    else:
        remedy = "Turn it on (Postfix: smtputf8_enable = yes), if applicants have such addresses."
        finding = "Messages to addresses with non-ASCII letters before the @ end as failed."
        yield SetupCheck.warning("relay SMTPUTF8", finding, remedy)
    if "pipelining" not in look.offers:
        remedy = "Turn it on, or look for what strips it (a firewall that `fixes` SMTP)."
        yield SetupCheck.warning("relay PIPELINING", "It is not offered: sending takes more round trips.", remedy)


def check_accept_log(setup: MailSetup, *, now: datetime) -> Iterator[SetupCheck]:
    """What the relay took can be looked up, so that a worker that vanished leaves no doubt."""
    log = setup.accept_log
    if log is None:
        remedy = "Set CRM_ACCEPT_LOG_FILE (Postfix) or CRM_ACCEPT_LOG_DIRECTORY (an always_bcc Maildir)."
        finding = "There is none: a message whose worker vanished ends as uncertain, or is sent once more."
        yield SetupCheck.warning("accept log", finding, remedy)
        return
    last = log.last_entry_at()
    if last is None:
        remedy = "Correct the path, mount it into the worker, and let it be read (Postfix: group adm)."
        yield SetupCheck.problem("accept log", "It cannot be read, or holds nothing of the relay.", remedy)
    elif now - last > _ACCEPT_LOG_SHOULD_MOVE:
        remedy = "Send a message and look again: the relay may be writing somewhere else by now."
        yield SetupCheck.warning("accept log", f"Nothing was written since {last:%Y-%m-%d %H:%M} UTC.", remedy)
    else:
        yield SetupCheck.ok("accept log", f"Written to last at {last:%Y-%m-%d %H:%M} UTC.")
