"""Source checks: each source is tried once, and what is wrong with it is said in words. Nothing is kept."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from enrollment_crm.domain.encodings import assumed_in_words
from enrollment_crm.domain.field_maps import DAMAGE_NOTE, FieldMap
from enrollment_crm.domain.mapping_proposals import missing_columns, unmapped_values
from enrollment_crm.domain.setup_checks import SetupCheck
from enrollment_crm.domain.sources import Source, Transport
from enrollment_crm.sources.drop_folder import pending_files
from enrollment_crm.sources.dropped_files import read_dropped
from enrollment_crm.sources.feed_errors import FeedError, FeedUnreachableError
from enrollment_crm.sources.feeds import Rows

#: So many rows of each file and pull are looked at: enough to meet its values, and quick.
_ROWS_LOOKED_AT = 1_000
_MOST_VALUES_TOLD = 5


@dataclass(frozen=True)
class Trial:
    """A source, and how it is tried."""

    source: Source
    #: Gives the first page; None: it is not pulled, or has no address.
    pull: Callable[[], Rows] | None
    #: Where other systems drop files.
    drop_directory: Path
    #: Variables of its webhook that hold a secret.
    secrets_set: tuple[str, ...]
    #: Ids of the configured programs.
    programs: Collection[str]


def check_sources(trials: Sequence[Trial]) -> list[SetupCheck]:
    """What each source comes to, in its transport and in its drop folder; ``not asked``: it is not set up."""
    return [check for one in trials for check in _checks(one)]


def _checks(trial: Trial) -> Iterator[SetupCheck]:
    name = trial.source.name
    if trial.source.is_pulled:
        yield _pulled(trial)
    elif trial.source.transport is Transport.WEBHOOK:
        yield _posted(trial)
    elif trial.source.transport is Transport.FORM:
        yield SetupCheck.ok(name, "Its rows come by the public app's form; nothing has to be reached.")
    # A source that has another way needs no folder.
    folder = trial.drop_directory / name
    if folder.is_dir():
        yield from _dropped(trial)
    elif trial.source.transport is Transport.DROP_FOLDER:
        remedy = f"Make the folder {folder} where it shall deliver."
        yield SetupCheck.not_asked(name, "Not set up: it has no drop folder.", remedy)


def _pulled(trial: Trial) -> SetupCheck:
    source = trial.source
    if trial.pull is None:
        remedy = f"Set {source.address} where it shall be pulled."
        return SetupCheck.not_asked(source.name, "Not set up: it has no address, so nothing is pulled.", remedy)
    try:
        rows = list(islice(trial.pull(), _ROWS_LOOKED_AT))
    except FeedUnreachableError as error:
        return SetupCheck.problem(source.name, str(error), "Run this again; if it stays, tell who runs the source.")
    except FeedError as error:
        return SetupCheck.problem(source.name, str(error), f"Correct {_file_of(source)} or what it refers to.")
    unmarked = _without_mark(source, rows)
    return unmarked or _judged(trial, "It answers", rows)


def _posted(trial: Trial) -> SetupCheck:
    name, wanted = trial.source.name, " or ".join(trial.source.webhook_secrets or ()) or "secrets in its file"
    if not trial.secrets_set:
        return SetupCheck.not_asked(
            name, "Not set up: without a secret every post is answered with 404.", f"Set {wanted}."
        )
    return SetupCheck.ok(name, f"Posts to /webhooks/{name} are taken with {' and '.join(trial.secrets_set)}.")


def _dropped(trial: Trial) -> Iterator[SetupCheck]:
    name = trial.source.name
    try:
        files = pending_files(trial.drop_directory, name)
    except OSError as error:
        yield SetupCheck.problem(
            name, f"Its drop folder cannot be read: {error.strerror}.", "Let us read and write it."
        )
        return
    if not files:
        yield SetupCheck.ok(name, "Its drop folder is there, and no file waits in it.")
    for file in files:
        yield _file(trial, file)


def _file(trial: Trial, file: Path) -> SetupCheck:
    try:
        dropped = read_dropped(file, trial.source.layout)
        rows = list(islice(dropped.rows, _ROWS_LOOKED_AT))
    except FeedError as error:
        return SetupCheck.problem(trial.source.name, str(error), "Ask for the export again, or take the file away.")
    except OSError as error:
        return SetupCheck.problem(
            trial.source.name, f"{file.name} cannot be read: {error.strerror}.", "Let us read it."
        )
    assumed = assumed_in_words([dropped.assumed_encoding])
    return _judged(trial, f"{file.name} is read", rows, assumed)


def _without_mark(source: Source, rows: Sequence[Any]) -> SetupCheck | None:
    """The column that moves the high-water mark must be readable: otherwise every pull asks for everything."""
    if source.high_water is None or not rows or any(source.changed_at(row) for row in rows):
        return None
    finding = f"No row says in {source.high_water.column!r} when it was changed, so every pull takes all rows."
    return SetupCheck.problem(source.name, finding, f"Correct high_water.column or date_formats in {_file_of(source)}.")


def _judged(trial: Trial, read: str, rows: Sequence[Any], assumed: str = "") -> SetupCheck:
    name = trial.source.name
    damaged = sum(DAMAGE_NOTE in row for row in rows)
    finding = " ".join(filter(None, (f"{read}: {len(rows)} rows looked at.", assumed)))
    if rows and damaged == len(rows):
        return SetupCheck.problem(name, f"{finding} None of them is whole.", "Ask for the export again.")
    faults = list(_faults(rows, trial.source.field_map, trial.programs)) if rows else []
    faults += [f"{damaged} damaged rows"] if damaged else []
    if not faults and not assumed:
        return SetupCheck.ok(name, finding)
    remedy = f"Name columns and values in config/sources/{name}.yml, or have the export corrected."
    told = f"{finding} {'; '.join(faults)}." if faults else finding
    return SetupCheck.warning(name, told, remedy)


def _faults(rows: Sequence[Any], field_map: FieldMap, programs: Collection[str]) -> Iterator[str]:
    for field, columns in missing_columns(rows, field_map).items():
        yield f"no column {' or '.join(map(repr, columns))} for {field}"
    for field, values in unmapped_values(rows, field_map, programs=programs).items():
        told = ", ".join(f"{value[:60]!r} ({count})" for value, count in list(values.items())[:_MOST_VALUES_TOLD])
        yield f"{len(values)} values of {field} without a meaning: {told}"


def _file_of(source: Source) -> str:
    return f"config/sources/{source.name}.yml"
