"""``enrollment-crm message show`` and ``messages export``: what exactly was sent, and what became of it.

.. pii: `--eml` writes a message with its reader's name and address, `--with-addresses` addresses. For staff, and on
   purpose.
"""

import dataclasses
import io
import json
import os
import stat
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console

from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.forecast import words
from enrollment_crm.cli.options import AsJson, read_instant
from enrollment_crm.cli.output import REMARKS, print_rows
from enrollment_crm.settings import Settings
from enrollment_crm.storage.proof import ProvenCover
from enrollment_crm.workflows.proof import (
    Bytes,
    Proof,
    UnknownMessageError,
    export_messages,
    proof_of_message,
    proofs_of_person,
)

message_app = typer.Typer(no_args_is_help=True, help="One message: what exactly was sent, and what became of it.")
messages_app = typer.Typer(no_args_is_help=True, help="All messages, for an audit.")

_LARGEST_ID = 2**63 - 1
_BYTES_IN_WORDS = {
    Bytes.PROVEN: "proven: they are those that were frozen before they left",
    Bytes.CHANGED: "CHANGED since: they are not those that were frozen",
    Bytes.ERASED: "gone: the person was erased; hash and timeline remain",
    Bytes.NONE: "none: nothing was ever written",
}


class Format(StrEnum):
    """How an export is written."""

    #: For spreadsheets, with a line of names; cells that would be formulas begin with an apostrophe.
    CSV = "csv"
    #: One JSON object a line.
    JSONL = "jsonl"


@message_app.command()
def show(
    message: Annotated[
        int | None, typer.Argument(metavar="[ID]", min=1, max=_LARGEST_ID, help="Number of the message.")
    ] = None,
    *,
    person: Annotated[
        str | None, typer.Option("--person", metavar="PERSON", help="All messages of this person: id or address.")
    ] = None,
    eml: Annotated[
        Path | None, typer.Option("--eml", metavar="FILE", help="Write the exact bytes of the one message there.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what was sent: hash, template, the versions of its dates, the rule of each key, and the timeline.

    The bytes are those that were frozen before the first of them left, whatever became of the template since; their
    sha256 is computed anew and compared. `--eml` writes them as a file that mail programs open.

    Exit codes: 1 where there is no such message or person, or the bytes were changed since.
    """
    if (message is None) == (person is None) or (eml is not None and message is None):
        raise typer.BadParameter("Give the number of a message (--eml goes with it), or --person.")
    with crm_database(Settings()) as engine:
        try:
            proofs = [proof_of_message(engine, message)] if message else proofs_of_person(engine, person or "")
        except UnknownMessageError as error:
            raise _failed(str(error)) from None
    if proofs is None:
        raise _failed("Nobody has this id or address. Look it up in `enrollment-crm people`.")
    if eml is not None:
        _write_bytes(proofs[0], eml)
    if as_json:
        typer.echo(json.dumps([_plain(one) for one in proofs], default=str, ensure_ascii=False))
    else:
        for one in proofs:
            _print(one)
    if any(one.bytes_are is Bytes.CHANGED for one in proofs):
        raise _failed("The bytes of a message are not those that were frozen.")


def _failed(sentence: str) -> typer.Exit:
    REMARKS.print(f"Error: {sentence}", style="bold red", highlight=False, markup=False)
    return typer.Exit(1)


def _write_bytes(proof: Proof, file: Path) -> None:
    if proof.message.content is None:
        raise _failed(f"Its bytes are {_BYTES_IN_WORDS[proof.bytes_are]}.")
    with _opened_for_us_alone(file) as opened:
        opened.write(proof.message.content)


def _opened_for_us_alone(file: Path) -> BinaryIO:
    """The file, emptied: from its first byte on nobody else can read it."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):  # a device is everybody's
            os.fchmod(descriptor, 0o600)
    except OSError as error:
        raise _failed(f"{file} cannot be written: {error.strerror}. Give another file.") from None
    return os.fdopen(descriptor, "wb")


def _plain(proof: Proof) -> dict[str, object]:
    message = {name: value for name, value in dataclasses.asdict(proof.message).items() if name not in _IN_THE_FILE}
    steps = [dataclasses.asdict(one) for one in proof.timeline]
    return message | {"bytes": proof.bytes_are.value, "rules": proof.rules, "timeline": steps}


#: Not printed: the bytes go to a file, and the timeline has the events.
_IN_THE_FILE = ("content", "events")


def _print(proof: Proof) -> None:
    message, console = proof.message, Console(soft_wrap=True)
    lines = [
        f"Message {message.id}: {words(message.kind)} to person {message.person_id}, {words(message.state)}",
        f"Message-ID {message.message_id or 'not written yet'}, template {message.template_version or 'none'}",
        f"sha256 {message.content_sha256 or 'none'}; the bytes are {_BYTES_IN_WORDS[proof.bytes_are]}",
    ]
    for line in lines:
        console.print(line, highlight=False, markup=False)
    covers = [(_key(one), rule, _dates(one)) for one, rule in zip(message.covers, proof.rules, strict=True)]
    print_rows("Covers", ("Key", "By which rule", "Versions of the date in force"), covers)
    steps = [(f"{one.at:%Y-%m-%d %H:%M:%S} UTC", words(one.kind), one.detail) for one in proof.timeline]
    print_rows("Timeline", ("When", "What", "In words"), steps)


def _key(one: ProvenCover) -> str:
    parts = (one.kind, one.program, one.entry_term, one.round, one.stated_date, one.prep_session_id, one.offset)
    return words(" ".join(str(part) for part in parts if part))


def _dates(one: ProvenCover) -> str:
    return "\n".join(
        f"{words(date.residency)}: version {date.version}, approved by {date.approved_by}" for date in one.dates
    )


_Instant = Annotated[
    datetime, typer.Option("--from", parser=read_instant, metavar="INSTANT", help="Claimed at or after it (RFC 3339).")
]


@messages_app.command()
def export(
    *,
    since: _Instant,
    before: Annotated[
        datetime, typer.Option("--to", parser=read_instant, metavar="INSTANT", help="Claimed before it (RFC 3339).")
    ],
    format_: Annotated[Format, typer.Option("--format", help="csv for spreadsheets, jsonl for programs.")] = Format.CSV,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write there, not to the terminal.")] = None,
    with_addresses: Annotated[
        bool, typer.Option("--with-addresses", help="With the readers' addresses: to a file only.")
    ] = False,
) -> None:
    """Export every message for an audit: ids, hashes, states, instants, keys and timeline; no names and no contents.

    Erased people have no address to export; hash, states and instants of what they were sent remain.
    """
    if with_addresses and out is None:
        raise typer.BadParameter("--with-addresses needs --out: addresses do not belong on a terminal or in a log.")
    if before <= since:
        raise typer.BadParameter("--to must be after --from: nothing lies between the two.")
    as_csv = format_ is Format.CSV
    with crm_database(Settings()) as engine:
        if out is None:
            number = export_messages(engine, typer.get_text_stream("stdout"), since=since, before=before, as_csv=as_csv)
        else:
            with io.TextIOWrapper(_opened_for_us_alone(out), encoding="utf-8", newline="") as file:
                number = export_messages(
                    engine, file, since=since, before=before, as_csv=as_csv, with_addresses=with_addresses
                )
    REMARKS.print(f"{number} messages.", highlight=False)
