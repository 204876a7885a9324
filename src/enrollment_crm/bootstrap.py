"""Turns settings into the parts of a running pipeline. Nothing else builds them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import configure_mappers

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.field_maps import FieldMap, translate
from enrollment_crm.domain.freshness import NOTHING_WATCHED, FeedWatch, WatchedSource
from enrollment_crm.domain.programs import Program
from enrollment_crm.domain.scenarios import Scenario
from enrollment_crm.mail.accept_log import MaildirAcceptLog
from enrollment_crm.mail.messages import Sender
from enrollment_crm.mail.recording import RecordingTransport
from enrollment_crm.mail.smtp import SmtpOptions, SmtpTransport
from enrollment_crm.mail.templates import TemplateLibrary
from enrollment_crm.mail.transport import Transport
from enrollment_crm.settings import Settings
from enrollment_crm.sources.feeds import Feed, drop_feed, slate_feed
from enrollment_crm.sources.field_maps import read_countries, read_field_maps
from enrollment_crm.sources.programs import (
    ProgramConfigurationError,
    override_cadence,
    read_country_zones,
    read_programs,
)
from enrollment_crm.storage.engine import connect
from enrollment_crm.workflows.composition import Letterhead
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.practice import practise_one_signup
from enrollment_crm.workflows.rehearsal import RehearsalParts

if TYPE_CHECKING:
    from enrollment_crm.validation.batches import Validator

Configured = TypeVar("Configured")
FolderState: TypeAlias = tuple[tuple[str, int, int], ...]

#: File name in config/sources/ of the field map of the Slate feed.
_SLATE = "slate"


class NoDatabaseError(RuntimeError):
    """CRM_DATABASE_URL is not set. Start everything with `enrollment-crm up`, or set it to your PostgreSQL."""


def engine_of(settings: Settings) -> Engine:
    """An engine for the CRM database.

    Raises:
        NoDatabaseError: the settings name none.
    """
    url = settings.database_url.get_secret_value()
    if not url:
        raise NoDatabaseError(NoDatabaseError.__doc__)
    return _PRACTISED.get(url) or connect(url)


#: Engines that know their statements already, by URL. They hold no connection: children must not share one.
_PRACTISED: dict[str, Engine] = {}


def clock_of(settings: Settings) -> Callable[[], datetime]:
    """What tells the instant: the clock, or the one instant that the settings stop it at."""
    stopped = settings.as_of
    if stopped is not None:
        return lambda: stopped.astimezone(UTC)
    return lambda: datetime.now(UTC)  # noqa: TID251 - the edges read the clock through this one function


def programs_of(settings: Settings) -> Mapping[str, Program]:
    """The programs of the configuration.

    Raises:
        ProgramConfigurationError: a file cannot be, or the default program is not among them.
    """
    programs = _as_long_as_unchanged(read_programs, settings.home_directory / "config" / "programs")
    if settings.default_program not in programs:
        known = ", ".join(programs)
        raise ProgramConfigurationError(
            f"CRM_DEFAULT_PROGRAM is {settings.default_program!r}, but config/programs/ holds {known}."
        )
    return programs


def templates_of(settings: Settings) -> TemplateLibrary:
    """The emails of ``templates/email/``, compiled."""
    return _as_long_as_unchanged(TemplateLibrary.load, settings.home_directory / "templates" / "email")


def field_maps_of(settings: Settings) -> Mapping[str, FieldMap]:
    """How each source names its fields and values."""
    return _as_long_as_unchanged(_read_field_maps, settings.home_directory / "config")


def _read_field_maps(configuration: Path) -> Mapping[str, FieldMap]:
    return read_field_maps(configuration / "sources", countries=read_countries(configuration / "countries.yml"))


def country_zones_of(settings: Settings) -> Mapping[str, str]:
    """The one or primary zone of each country (R4)."""
    return _as_long_as_unchanged(read_country_zones, settings.home_directory / "config" / "country-zones.yml")


def validator_of(settings: Settings) -> "Validator":
    """Great Expectations with the suites of ``expectations/``."""
    known_programs = tuple(sorted(programs_of(settings)))
    read = partial(_validator, known_programs=known_programs)
    return _as_long_as_unchanged(read, settings.home_directory / "expectations", known_programs)


def _validator(folder: Path, *, known_programs: tuple[str, ...]) -> "Validator":
    from enrollment_crm.validation.batches import Validator  # noqa: PLC0415 - costs seconds, see decision 5

    return Validator(folder, known_programs=known_programs)


#: What was read from the configuration, with the state that its files had then.
_READ: dict[tuple[Path, object], tuple[FolderState, Any]] = {}


def _as_long_as_unchanged(read: Callable[[Path], Configured], place: Path, also: object = None) -> Configured:
    """What ``read`` makes of a file or folder, read again only once a file of it has changed.

    A task is forked from a process that has read everything: it finds it here, and an edit all the same.
    """
    state = _state_of(place)
    known = _READ.get((place, also))
    if known is None or known[0] != state:
        known = (state, read(place))
        _READ[place, also] = known
    made: Configured = known[1]
    return made


def _state_of(place: Path) -> FolderState:
    """What tells an edited place from the one that was read: name, size and time of every file."""
    files = sorted(path for path in (place, *place.rglob("*")) if path.is_file())
    return tuple((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files)


def warm_up(settings: Settings) -> None:
    """Do once what every task would do again: import, compile, judge a row of each kind, take one signup to its end.

    For the process that forks tasks: its children have the result, and rebuild it only where a file has changed.
    """
    from enrollment_crm.validation.verdicts import CandidateRow  # noqa: PLC0415 - belongs to the line below

    configure_mappers()
    country_zones_of(settings)
    validator, field_maps = validator_of(settings), field_maps_of(settings)
    for kind, field_map in {one.kind: one for one in field_maps.values()}.items():
        validator.validate(kind, [CandidateRow(0, translate({}, field_map))])
    templates_of(settings)
    _practise(settings)


def _practise(settings: Settings) -> None:
    """Take one made-up signup to its welcome; keep the statements that were compiled for it, and nothing else."""
    engine = engine_of(settings)
    try:
        practise_one_signup(
            outbox_of(settings, engine),
            validator_of(settings),
            field_maps_of(settings),
            country_zones=country_zones_of(settings),
            now=clock_of(settings)(),
        )
    finally:
        engine.dispose()
        _PRACTISED[settings.database_url.get_secret_value()] = engine


def feeds_of(settings: Settings, kind: RecordKind) -> list[Feed]:
    """The feeds that deliver rows of this kind: drop folders, and Slate where it is configured."""
    field_maps = field_maps_of(settings)
    feeds = []
    if settings.drop_directory is not None:
        feeds += [
            drop_feed(source, kind, drop_directory=settings.drop_directory)
            for source, field_map in field_maps.items()
            if field_map.kind is kind
        ]
    if settings.slate_query_url and field_maps[_SLATE].kind is kind:
        feeds.append(
            slate_feed(
                _SLATE,
                kind,
                url=settings.slate_query_url,
                key=settings.slate_query_key.get_secret_value(),
                timeout_in_seconds=settings.feed_timeout_in_seconds,
            )
        )
    return feeds


def feed_watch_of(settings: Settings) -> FeedWatch:
    """The feeds of applications that must be fresh, judged at this instant, also where a dry run looks ahead."""
    field_maps, set_up = field_maps_of(settings), dict[str, bool]()
    for feed in feeds_of(settings, RecordKind.APPLICATION):
        set_up[feed.source] = feed.is_set_up or set_up.get(feed.source, False)
    watched = [
        WatchedSource(source, budget, is_set_up)
        for source, is_set_up in set_up.items()
        if (budget := field_maps[source].freshness_budget) is not None
    ]
    return FeedWatch(tuple(watched), judged_at=clock_of(settings)())


def transport_of(settings: Settings) -> Transport:
    """The SMTP relay, with its accept log where there is one."""
    accept_log = settings.accept_log_directory
    options = SmtpOptions(
        host=settings.smtp_host,
        port=settings.smtp_port,
        helo_name=settings.mail_domain,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value(),
        starttls=settings.smtp_starttls,
        connect_timeout_in_seconds=settings.smtp_connect_timeout_in_seconds,
        command_timeout_in_seconds=settings.smtp_command_timeout_in_seconds,
        data_timeout_in_seconds=settings.smtp_data_timeout_in_seconds,
    )
    return SmtpTransport(options, accept_log=MaildirAcceptLog(accept_log) if accept_log else None)


def sender_of(settings: Settings) -> Sender:
    """Who writes."""
    return Sender(settings.sender_name, settings.sender_address, settings.reply_to_address, settings.mail_domain)


def outbox_of(settings: Settings, engine: Engine) -> Outbox:
    """Everything that sending needs; for one process and thread."""
    return Outbox(
        engine=engine,
        programs=programs_of(settings),
        default_program=settings.default_program,
        templates=templates_of(settings),
        transport=transport_of(settings),
        sender=sender_of(settings),
        letterhead=Letterhead(settings.sender_name, settings.postal_address),
        secret=settings.secret_key.get_secret_value().encode(),
        public_url=settings.public_url,
        lease=timedelta(seconds=settings.lease_in_seconds),
        freshness=feed_watch_of(settings),
    )


def rehearsal_parts_of(settings: Settings, engine: Engine, scenario: Scenario) -> RehearsalParts:
    """What rehearses a scenario: the real parts, with its own cadence and programs, and a transport that records.

    Raises:
        ProgramConfigurationError: the scenario's ``config`` says what cannot be.
    """
    outbox = rehearsal_outbox_of(settings, engine, scenario)
    known = tuple(outbox.programs)
    read = partial(_validator, known_programs=known)
    validator = _as_long_as_unchanged(read, settings.home_directory / "expectations", known)
    return RehearsalParts(outbox, validator, field_maps_of(settings), country_zones_of(settings))


def rehearsal_outbox_of(settings: Settings, engine: Engine, scenario: Scenario) -> Outbox:
    """The outbox of a rehearsal: it records instead of sending, and a sweep looks at its own instant alone."""
    default = programs_of(settings)[settings.default_program]
    cadence = override_cadence(default.cadence, scenario.config)
    keys = {settings.default_program, *scenario.programs()}
    programs = {key: replace(default, key=key, cadence=cadence) for key in sorted(keys)}
    return replace(
        outbox_of(settings, engine),
        programs=programs,
        transport=RecordingTransport(),
        punctuality=timedelta(0),
        # Its applications come as facts and not by a feed.
        freshness=NOTHING_WATCHED,
    )
