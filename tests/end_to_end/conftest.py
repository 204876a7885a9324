"""The whole stack, started once for all tests of this folder: PostgreSQL, Airflow, the public app, a mailbox."""

import mailbox
import shutil
import time
from collections.abc import Callable, Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import TypeVar

import pytest
from tests.integration.public_app import SECRET

from enrollment_crm.cli.demo import demonstration_settings
from enrollment_crm.settings import CHECKOUT
from enrollment_crm.stack.stack import Stack

_PATIENCE_IN_SECONDS = 240.0
Found = TypeVar("Found")


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running stack that takes 24 November 2026, 10:00 in Boston, for now."""
    settings = demonstration_settings("2026-11-24T10:00:00-05:00")
    directory = tmp_path_factory.mktemp("stack")
    settings = settings.model_copy(
        update={
            "state_directory": directory,
            "drop_directory": directory / "drop",
            "home_directory": home_in(directory),
        }
    )
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("EVENTS_WEBHOOK_SECRET", SECRET)
        with Stack(settings, with_mailbox=True) as running:
            yield running


def home_in(directory: Path) -> Path:
    """The folders that people edit: those of the checkout, with a ``config`` of its own that a test may change."""
    home = directory / "home"
    shutil.copytree(CHECKOUT / "config", home / "config")
    for folder in ("dags", "templates", "expectations"):
        (home / folder).symlink_to(CHECKOUT / folder)
    return home


@pytest.fixture(scope="package")
def mail_directory(stack: Stack) -> Path:
    """The Maildir of the stack's mailbox."""
    assert stack.facts.mail_directory is not None
    return stack.facts.mail_directory


def mails_to(directory: Path, address: str) -> list[EmailMessage]:
    """Every message to this address that the mailbox has kept."""
    folder, parser = mailbox.Maildir(directory, create=False), BytesParser(policy=policy.default)
    parsed = [parser.parsebytes(folder.get_bytes(key)) for key in folder.keys()]  # noqa: SIM118
    return [one for one in parsed if address in str(one["To"]).lower()]


def eventually(look: Callable[[], Found]) -> Found:
    """What ``look`` finds, once it finds something."""
    deadline = time.monotonic() + _PATIENCE_IN_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, "nothing was found in time: see the logs of the stack"
        time.sleep(0.2)
    return found
