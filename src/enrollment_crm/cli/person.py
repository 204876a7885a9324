"""``enrollment-crm person``: one person, by id or address.

.. pii: `show` prints what is known of a person, for staff, on purpose; `export` writes it to files and prints counts.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy import Engine

from enrollment_crm.bootstrap import countries_of, country_zones_of, field_maps_of, programs_of, secret_of
from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.options import AsJson, By, Why, Yes, staff_action
from enrollment_crm.cli.output import REMARKS
from enrollment_crm.cli.person_files import check_is_free, write_export
from enrollment_crm.cli.person_tables import dossier_as_json, print_dossier
from enrollment_crm.domain.person_facts import birth_date_of
from enrollment_crm.domain.programs import Cadences
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.terms import EntryTerm
from enrollment_crm.domain.zones import choose_zone
from enrollment_crm.settings import Settings
from enrollment_crm.workflows import people
from enrollment_crm.workflows.corrections import correct_person, correct_term_of
from enrollment_crm.workflows.dossiers import export_person, show_person
from enrollment_crm.workflows.erasure import erase as erase_person

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""
    One person, by id or any address of theirs: what is known and why, corrected, merged, exported, erased.

    What changes something needs `--by` and `--why`, which are kept in the audit trail. Routes follow within minutes,
    by `intake_signups`, or at once by `enrollment-crm route`. Exit code 1: nobody has this id or address, or it cannot
    be done and the message says why.
    """,
)

#: As the rules of ``expectations/`` have it for what sources say.
_READABLE = re.compile(r"[^\x00-\x1f\x7f-\x9f\ufffd]{1,200}")

Person = Annotated[str, typer.Argument(metavar="PERSON", help="Id of the person, or an address of theirs.")]


@contextmanager
def _database(settings: Settings) -> Iterator[Engine]:
    """The database; what staff can mend ends with a sentence and exit code 1."""
    with crm_database(settings) as engine:
        try:
            yield engine
        except (people.UnknownPersonError, people.CannotMergeError) as error:
            REMARKS.print(f"[bold red]Error:[/] {escape(str(error))}", highlight=False)
            raise typer.Exit(1) from None


@app.command()
def show(person: Person, *, as_json: AsJson = False) -> None:
    """Show who a person is by which sources, their residency with its evidence, reviews, and what staff did.

    Prints personal data. What was sent and what comes next: `enrollment-crm explain`.
    """
    with _database(Settings()) as engine:
        seen = show_person(engine, person)
    if as_json:
        typer.echo(json.dumps(dossier_as_json(seen), ensure_ascii=False))
    else:
        print_dossier(seen)


@app.command()
def merge(
    person: Person,
    into: Annotated[str, typer.Argument(metavar="INTO", help="Id or address of who is written to from then on.")],
    *,
    by: By = "",
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Make one person of two: history, seats, applications, consent and evidence are united.

    The stricter consent holds, and nobody gets a message twice by it. `person unmerge` undoes it.
    """
    settings = Settings()
    action = staff_action(settings, by=by, why=why)
    with _database(settings) as engine:
        gone, stays = people.merge(engine, person, into, action=action)
    _done(f"Person {gone} is person {stays} from now on.", {"merged": gone, "into": stays}, as_json=as_json)


@app.command()
def unmerge(person: Person, *, by: By = "", why: Why = "", as_json: AsJson = False) -> None:
    """Undo the merge of a record, by its id or its own address: both are as they were, plus what came since.

    What came since goes to the record by whose address or reference it came. What was sent meanwhile counts for both.
    No rule merges them again.
    """
    settings = Settings()
    action = staff_action(settings, by=by, why=why)
    with _database(settings) as engine:
        undone = people.unmerge(engine, person, action=action)
    words = f"Person {undone.gone} and person {undone.stays} are two again."
    _done(words, {"unmerged": undone.gone, "from": undone.stays}, as_json=as_json)


def _read_term(text: str) -> EntryTerm:
    try:
        return EntryTerm.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


_Term = Annotated[EntryTerm | None, typer.Option(parser=_read_term, metavar="TERM", help='"fall 2027"')]
_Text = Annotated[str, typer.Option(metavar="TEXT")]


@app.command()
def correct(
    person: Person,
    *,
    first_name: _Text = "",
    last_name: _Text = "",
    phone: _Text = "",
    birth_date: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="Only ever used for matching.")] = "",
    country: Annotated[str, typer.Option(metavar="CODE", help="ISO 3166: US, CN.")] = "",
    time_zone: Annotated[str, typer.Option(metavar="ZONE", help="Asia/Shanghai")] = "",
    residency: Annotated[Residency | None, typer.Option(help="A decision: it holds until a source says news.")] = None,
    entry_term: _Term = None,
    instead_of: _Term = None,
    by: By = "",
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Correct what is known of a person. What is not named stays as it is.

    Staff say so from now on: a source that says something newer by its own clock replaces it, field by field.
    `--entry-term` takes the place of `--instead-of`; without that it takes the place of a term that is not known.
    """
    said = {"first_name": first_name, "last_name": last_name, "phone": phone}
    said |= {"birth_date": birth_date, "country": country.upper(), "time_zone": time_zone}
    values = {name: value for name, value in said.items() if value}
    settings = Settings()
    action = staff_action(settings, by=by, why=why)
    _check(values, settings, now=action.at)
    if residency is not None:
        values["residency"] = residency.value
    if not values and entry_term is None:
        raise typer.BadParameter("Nothing is corrected: name at least one field, such as --time-zone.")
    zones, cadences = country_zones_of(settings), Cadences(programs_of(settings), settings.default_program)
    with _database(settings) as engine:
        if values:
            found = correct_person(engine, person, values, country_zones=zones, action=action)
        if entry_term is not None:
            found = correct_term_of(engine, person, instead_of, entry_term, cadences=cadences, action=action)
    fields = [*values, *(["entry_term"] if entry_term else [])]
    _done(f"Person {found}: corrected {', '.join(fields)}.", {"person": found, "corrected": fields}, as_json=as_json)


def _check(values: dict[str, str], settings: Settings, *, now: datetime) -> None:
    if (born := values.get("birth_date")) and birth_date_of(born, received_at=now) is None:
        raise typer.BadParameter(f"{born!r} is no day of birth: write for example 1999-04-05.")
    zone, country = values.get("time_zone"), values.get("country")
    if zone and choose_zone(zone, None, country_zones={}).basis != "stated":
        raise typer.BadParameter(f"{zone!r} is no time zone: write for example America/New_York.")
    if country and country not in countries_of(settings).values():
        raise typer.BadParameter(f"{country!r} is no country code: write for example US.")
    for name in ("first_name", "last_name", "phone"):
        if name in values and not _READABLE.fullmatch(values[name]):
            raise typer.BadParameter(
                f"--{name.replace('_', '-')} is longer than 200 characters or holds some that cannot be read, such "
                "as a line break: write it anew."
            )


@app.command()
def export(
    person: Person,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder, or a new file that ends in .zip.")],
    *,
    by: By = "",
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Write all that is held of a person: `person.json`, and each message exactly as it was sent (`.eml`).

    Also of somebody whose rows were rejected, or wait: by the address in them.
    Personal data goes to the files alone, which only you can read; that it was handed out is in the audit trail.
    """
    settings = Settings()
    action = staff_action(settings, by=by, why=why)
    check_is_free(out)
    with _database(settings) as engine:
        held = export_person(engine, person, action=action, field_maps=field_maps_of(settings))
    write_export(held, out)
    counts = {table: len(rows) for table, rows in held.tables.items()}
    words = f"{_who(held.person_id)}: {sum(counts.values())} rows and {len(held.messages)} messages in {out}."
    said = {"person": held.person_id, "rows": counts, "messages": len(held.messages), "out": str(out)}
    _done(words, said, as_json=as_json)


@app.command()
def erase(person: Person, *, by: By = "", why: Why = "", yes: Yes = False, as_json: AsJson = False) -> None:
    """Erase what names a person, everywhere: raw rows, quarantine, evidence, references, bodies of messages.

    An id, dates and counts remain, and a keyed tombstone by which rows of the same person are recognised and emptied:
    nobody comes back by an export. Who signs up again with consent later is a new person. Also of somebody whose rows
    were rejected, or wait: by the address in them. This cannot be undone; reads the whole inbox, which takes a few
    seconds for a million rows.
    """
    settings = Settings()
    action = staff_action(settings, by=by, why=why)
    if not yes:
        typer.confirm("Erase this person for good?", abort=True, err=True)
    with _database(settings) as engine:
        secret, field_maps = secret_of(settings), field_maps_of(settings)
        gone = erase_person(engine, person, action=action, secret=secret, field_maps=field_maps)
    words = (
        f"{_who(gone.person_id)} is erased: {gone.records} records, {gone.rows_emptied} raw rows, of which "
        f"{gone.rows_not_taken_in} had not been taken in; {gone.rows_redacted} rows about others named them."
    )
    _done(words, asdict(gone), as_json=as_json)


def _who(person_id: int | None) -> str:
    return "Somebody of whom there is no record" if person_id is None else f"Person {person_id}"


def _done(words: str, said: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(said))
    else:
        REMARKS.print(escape(words), highlight=False)
