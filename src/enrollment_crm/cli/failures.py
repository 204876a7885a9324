"""Failures that a person can mend end with a sentence, not with a traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.exc import OperationalError

from enrollment_crm.domain.campaigns import CampaignStoppedError, RelayDownError
from enrollment_crm.domain.instants import NaiveDatetimeError
from enrollment_crm.mail.problems import TemplateErrors
from enrollment_crm.sources.feed_errors import FeedError
from enrollment_crm.sources.field_maps import FieldMapError
from enrollment_crm.sources.programs import ProgramConfigurationError
from enrollment_crm.stack.errors import StackError

_MENDABLE = (
    CampaignStoppedError,
    FeedError,
    FieldMapError,
    NaiveDatetimeError,
    ProgramConfigurationError,
    RelayDownError,
    StackError,
    TemplateErrors,
)
_FAILED = 1


@contextmanager
def explained() -> Iterator[None]:
    """Print what a person can mend, and end with 1."""
    console = Console(stderr=True)
    try:
        yield
    except _MENDABLE as error:
        console.print(f"[bold red]Error:[/] {error}", highlight=False)
    except ValidationError as error:
        for one in error.errors(include_input=False, include_url=False):
            where = ".".join(str(part) for part in one["loc"]).upper()
            variable = f"CRM_{where}: " if where else ""
            console.print(f"[bold red]Error:[/] {variable}{one['msg']}", highlight=False)
    except OperationalError as error:
        console.print(
            f"[bold red]Error:[/] The database does not answer ({type(error.orig).__name__}). "
            "Check CRM_DATABASE_URL, or start everything with `enrollment-crm up`.",
            highlight=False,
        )
    else:
        return
    sys.exit(_FAILED)
