"""Programs as the school configures them: ``config/programs/*.yml``, checked with errors in words."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from enrollment_crm.domain.checklists import ChecklistItem, ExpectedItem, RequiredOf
from enrollment_crm.domain.instants import instant_of
from enrollment_crm.domain.points import Anchor, Cadence
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.domain.programs import Counselor, Program
from enrollment_crm.domain.residency import Residency
from enrollment_crm.domain.zones import HOME_ZONE, known_zones, labelled_zone
from enrollment_crm.sources.calendar_sources import CalendarSourcesEntry
from enrollment_crm.sources.program_dates import DateExceptionEntry, DatePatternEntry, dated, exception_of, pattern_of


class ProgramConfigurationError(ValueError):
    """A file in config/programs/ says something that cannot be. Correct the file; nothing was changed."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


#: What stands behind a button of an email.
_Url = Annotated[str, Field(pattern=r"^https://\S+$")]
_Address = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]


class _CounselorEntry(_Strict):
    name: str
    address: _Address
    residencies: list[Residency] = Field(min_length=1)


class _SessionEntry(_Strict):
    id: str
    title: str
    date: date
    #: Wall clock, written "10:00" (in quotes: YAML reads a bare 10:00 as a number).
    starts: time
    zone: str
    minutes: int = Field(gt=0)
    location: str
    url: _Url


class _SessionsFile(_Strict):
    prep_sessions: list[_SessionEntry] = []


_Days = Annotated[int, Field(ge=1, le=365)]


class _CadenceEntry(_Strict):
    offsets_in_days: list[_Days] = Field(default=[30, 14, 7, 1], min_length=1)
    hour: time = time(10, 0)
    anchor: Anchor = Anchor.STATED_DATE
    session_offsets_in_days: list[_Days] = [7, 1]
    session_last_call_in_seconds: int = Field(default=3600, ge=60, le=86_400)
    invitation_offset_in_days: _Days = 7
    window_from: time = time(8, 0)
    window_to: time = time(21, 0)
    too_close_in_hours: float = Field(default=48, ge=0, allow_inf_nan=False)
    too_late_in_hours: float = Field(default=2, ge=0, allow_inf_nan=False)


class _ChecklistEntry(_Strict):
    item: ChecklistItem
    #: Of whom it is required.
    required_of: RequiredOf = Field(default=RequiredOf.ALL, alias="for")


class _ProgramFile(_Strict):
    name: str
    url: _Url
    request_info_url: _Url
    apply_url: _Url
    source: str
    counselors: dict[str, _CounselorEntry]
    entry_terms: list[str] = Field(min_length=1)
    dates: list[DatePatternEntry]
    #: Dates of one term that differ from the pattern.
    date_exceptions: list[DateExceptionEntry] = []
    prep_sessions: list[_SessionEntry] = []
    cadence: _CadenceEntry = _CadenceEntry()
    #: IANA zone on whose clock a stated date ends (R1).
    cut_off_zone: str = HOME_ZONE
    checklist: list[_ChecklistEntry] = []
    checklist_reminders: bool = False
    calendar_sources: CalendarSourcesEntry = CalendarSourcesEntry()


_CountryZones = TypeAdapter(dict[Annotated[str, Field(strict=True, pattern="^[A-Z]{2}$")], str])


def read_programs(directory: Path) -> dict[str, Program]:
    """All programs of the folder by key (the file name).

    Raises:
        ProgramConfigurationError: a file is missing, malformed or says what cannot be; the message names it.
    """
    files = sorted(directory.glob("*.yml"))
    if not files:
        raise ProgramConfigurationError(f"{directory} holds no program: add a file such as my-program.yml.")
    return {file.stem: _read_program(file) for file in files}


def read_prep_sessions(file: Path) -> tuple[PrepSession, ...]:
    """The sessions listed in a YAML file of their own, under the key ``prep_sessions``.

    Raises:
        ProgramConfigurationError: the file is malformed or names a session that cannot be; the message names it.
    """
    try:
        entry = _SessionsFile.model_validate(_yaml_of(file) or {})
        return tuple(_session(one) for one in entry.prep_sessions)
    except ValueError as error:
        raise ProgramConfigurationError(f"{file.name}: {_in_words(error)}") from error


def read_country_zones(file: Path) -> dict[str, str]:
    """The one or primary zone of each country, by ISO 3166 alpha-2 code (R4).

    Raises:
        ProgramConfigurationError: a key is no country code (YAML reads a bare NO as "no"), or a zone is unknown.
    """
    try:
        zones = _CountryZones.validate_python(_yaml_of(file))
    except ValueError as error:
        raise ProgramConfigurationError(f"{file.name}: {_in_words(error)}") from error
    known = known_zones()
    for code, zone in zones.items():
        if zone not in known:
            raise ProgramConfigurationError(f"{file.name}: {code} has {zone!r}, which is not an IANA time zone.")
    return zones


def _yaml_of(file: Path) -> Any:
    try:
        return yaml.safe_load(file.read_text("utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"not readable as YAML: {error}") from error


def _read_program(file: Path) -> Program:
    try:
        entry = _ProgramFile.model_validate(_yaml_of(file))
        program = Program(
            key=file.stem,
            name=entry.name,
            url=entry.url,
            request_info_url=entry.request_info_url,
            apply_url=entry.apply_url,
            source=entry.source,
            counselors=_counselors(entry.counselors),
            deadlines=(),
            prep_sessions=tuple(_session(one) for one in entry.prep_sessions),
            cadence=_cadence(entry.cadence),
            date_patterns=tuple(pattern_of(one) for one in entry.dates),
            cut_off_zone=_cut_off_zone(entry.cut_off_zone),
            date_exceptions=tuple(exception_of(one) for one in entry.date_exceptions),
            checklist=_checklist(entry.checklist),
            checklist_reminders=entry.checklist_reminders,
            calendar_sources=entry.calendar_sources.sources(),
        )
        _check_sessions(program.prep_sessions)
        return replace(program, deadlines=tuple(dated(program, entry.entry_terms)))
    except ValueError as error:
        raise ProgramConfigurationError(f"{file.name}: {_in_words(error)}") from error


def _checklist(entries: list[_ChecklistEntry]) -> tuple[ExpectedItem, ...]:
    twice = [item for item, count in Counter(one.item for one in entries).items() if count > 1]
    if twice:
        raise ValueError(f"checklist: {', '.join(twice)} stands there more than once: keep one.")
    return tuple(ExpectedItem(one.item, one.required_of) for one in entries)


def _counselors(entries: dict[str, _CounselorEntry]) -> dict[Residency, Counselor]:
    owners: dict[Residency, Counselor] = {}
    for residency in Residency:
        theirs = [Counselor(key, one.name, one.address) for key, one in entries.items() if residency in one.residencies]
        if not theirs:
            raise ValueError(f"no counselor for {residency.value}: add it to the residencies of one counselor.")
        if len(theirs) > 1:
            several = " and ".join(one.key for one in theirs)
            raise ValueError(f"{several} all own {residency.value}: list it under one counselor.")
        owners[residency] = theirs[0]
    return owners


def override_cadence(cadence: Cadence, entries: Mapping[str, Any]) -> Cadence:
    """A cadence with some of its entries replaced, each named as under ``cadence`` in a program's file.

    Raises:
        ProgramConfigurationError: an entry is unknown or says what cannot be.
    """
    try:
        changed = _CadenceEntry.model_validate(entries)
        return replace(cadence, **{name: getattr(_cadence(changed), name) for name in changed.model_fields_set})
    except ValueError as error:
        raise ProgramConfigurationError(f"cadence: {_in_words(error)}") from error


def _cadence(entry: _CadenceEntry) -> Cadence:
    return Cadence(
        offsets_in_days=tuple(entry.offsets_in_days),
        hour=entry.hour,
        anchor=entry.anchor,
        session_offsets_in_days=tuple(entry.session_offsets_in_days),
        session_last_call_in_seconds=entry.session_last_call_in_seconds,
        invitation_offset_in_days=entry.invitation_offset_in_days,
        window_from=entry.window_from,
        window_to=entry.window_to,
        too_close_in_hours=entry.too_close_in_hours,
        too_late_in_hours=entry.too_late_in_hours,
    )


def _cut_off_zone(label: str) -> str:
    try:
        return labelled_zone(label).key
    except ValueError as error:
        raise ValueError(f"cut_off_zone: {error}") from error


def _check_sessions(sessions: Iterable[PrepSession]) -> None:
    twice = [session for session, times in Counter(one.id for one in sessions).items() if times > 1]
    if twice:
        raise ValueError(f"prep_sessions: {', '.join(twice)} is listed twice: give each session an id of its own.")


def _session(entry: _SessionEntry) -> PrepSession:
    zone: ZoneInfo = labelled_zone(entry.zone)
    return PrepSession(
        id=entry.id,
        title=entry.title,
        starts=instant_of(entry.date, entry.starts, zone),
        zone=zone.key,
        minutes=entry.minutes,
        location=entry.location,
        url=entry.url,
    )


def _in_words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors(include_input=False)
        )
    return str(error)
