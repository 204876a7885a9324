"""Failures that a person can mend end with a sentence, not with a traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg.errors import DeadlockDetected, NumericValueOutOfRange
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from rich.console import Console
from rich.markup import escape
from sqlalchemy.exc import ArgumentError, DataError, OperationalError

from enrollment_crm.domain.batches import BatchDecisionError
from enrollment_crm.domain.calendar_plans import StalePlanError
from enrollment_crm.domain.campaigns import CampaignStoppedError, RelayDownError
from enrollment_crm.domain.instants import NaiveDatetimeError
from enrollment_crm.domain.proposals import ProposalError
from enrollment_crm.domain.quarantine import QuarantineError
from enrollment_crm.mail.problems import TemplateErrors
from enrollment_crm.sources.bounce_mailbox import MailboxError
from enrollment_crm.sources.feed_errors import FeedError
from enrollment_crm.sources.feedback_policy import FeedbackConfigurationError
from enrollment_crm.sources.field_maps import FieldMapError
from enrollment_crm.sources.identity import IdentityRulesError
from enrollment_crm.sources.programs import ProgramConfigurationError
from enrollment_crm.stack.errors import StackError
from enrollment_crm.validation.suites import SuiteError

_MENDABLE = (
    BatchDecisionError,
    CampaignStoppedError,
    FeedError,
    FeedbackConfigurationError,
    FieldMapError,
    IdentityRulesError,
    MailboxError,
    NaiveDatetimeError,
    ProgramConfigurationError,
    ProposalError,
    QuarantineError,
    RelayDownError,
    StackError,
    StalePlanError,
    SuiteError,
    TemplateErrors,
)
_FAILED = 1
_URL_IN_WORDS = (
    "CRM_DATABASE_URL cannot be used. Write for example postgresql+psycopg://crm:PASSWORD@db.example.edu:5432/crm."
)


@contextmanager
def explained() -> Iterator[None]:
    """Print what a person can mend, and end with 1."""
    console = Console(stderr=True)
    try:
        yield
    except (*_MENDABLE, ValidationError, ArgumentError, OperationalError, DataError) as error:
        if isinstance(error, DataError) and not isinstance(error.orig, NumericValueOutOfRange):
            raise
        for sentence in _in_words(error):
            console.print(f"[bold red]Error:[/] {escape(sentence)}", highlight=False)
    else:
        return
    sys.exit(_FAILED)


def _in_words(error: Exception) -> list[str]:
    if isinstance(error, ValidationError):
        return [_setting_in_words(one) for one in error.errors(include_input=False, include_url=False)]
    if isinstance(error, ArgumentError):  # its own words may repeat the URL, and with it a password
        return [_URL_IN_WORDS]
    if isinstance(error, DataError):
        return ["There is no such number: it is larger than any that is given out. Look it up in the list."]
    if isinstance(error, OperationalError):
        return [_database_in_words(error)]
    return [str(error)]


def _setting_in_words(error: ErrorDetails) -> str:
    where = ".".join(str(part) for part in error["loc"]).upper()
    return f"CRM_{where}: {error['msg']}" if where else error["msg"]


def _database_in_words(error: OperationalError) -> str:
    if isinstance(error.orig, DeadlockDetected):
        return "Two runs waited for each other, and this one gave way: nothing of its last step was kept. Try again."
    return (
        f"The database does not answer ({type(error.orig).__name__}). "
        "Check CRM_DATABASE_URL, or start everything with `enrollment-crm up`."
    )
