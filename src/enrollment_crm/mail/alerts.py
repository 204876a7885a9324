"""Plain mail to operations."""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from enrollment_crm.mail.addresses import mailbox_of
from enrollment_crm.mail.messages import OutgoingMessage, Sender


def build_alert(*, subject: str, text: str, recipient: str, sender: Sender, now: datetime) -> OutgoingMessage:
    """A plain message to operations. It names DAGs and counts, no people.

    Raises:
        AddressInvalid: no mail can be sent to the recipient's address.
    """
    to, author = mailbox_of(recipient), mailbox_of(sender.address)
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = author.spec, to.spec, subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id = make_msgid(domain=sender.mail_domain)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return OutgoingMessage(author.spec, to.spec, message_id, message.as_bytes(), to.requires_smtputf8)
