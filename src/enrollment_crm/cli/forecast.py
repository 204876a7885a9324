"""``enrollment-crm forecast``: what goes out in the coming weeks, in numbers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from enrollment_crm.bootstrap import outbox_of
from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.options import AsJson, AsOf, instant_of_command
from enrollment_crm.cli.output import REMARKS, print_rows
from enrollment_crm.domain.zones import HOME_ZONE
from enrollment_crm.settings import Settings
from enrollment_crm.workflows.forecast import Forecast, UnitForecast, forecast_by_cell, forecast_by_day
from enrollment_crm.workflows.holds import holds_in_words

_LONGEST_IN_DAYS = 400


class By(StrEnum):
    """What a forecast is divided by."""

    #: Messages of each kind on each day in Boston.
    DAY = "day"
    #: People of each program, term, round, residency, zone and offset, with the instant.
    CELL = "cell"


Days = Annotated[
    int,
    typer.Option("--days", min=0, max=_LONGEST_IN_DAYS, help="How far to look ahead, in days; 0: only now."),
]
_FORECASTS = {By.DAY: forecast_by_day, By.CELL: forecast_by_cell}


def forecast(
    *,
    by: Annotated[By, typer.Option("--by", help="Count messages by day, or people by cell.")] = By.DAY,
    days: Days = 28,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Forecast what goes out in the coming weeks, and what would be withheld as things stand now.

    Exact, if nothing else happens: the statements that sweeps claim with count here instead. By day it counts
    messages: several deadlines of one person at one instant are one message, and an invitation that is folded into it
    is none of its own. By cell it counts people, and one message can stand in several cells. What is owed already
    counts for now. Nothing is sent, and nothing is kept.
    """
    settings = Settings()
    now = instant_of_command(as_of, settings, dry_run=True)
    with crm_database(settings) as engine:
        outbox = outbox_of(settings, engine)
        try:
            seen = _FORECASTS[by](outbox, now=now, until=now + timedelta(days=days))
        finally:
            outbox.transport.close()
    if as_json:
        typer.echo(json.dumps(forecast_as_json(seen), ensure_ascii=False))
        return
    columns, rows = (_DAY_COLUMNS, _day_rows(seen)) if by is By.DAY else (_CELL_COLUMNS, _cell_rows(seen))
    print_rows(f"Forecast of {days} days from {local(now, HOME_ZONE)} Boston", columns, rows)
    _remark(seen)


def forecast_as_json(seen: Forecast) -> dict[str, Any]:
    """The forecast as plain JSON values; what a unit is not divided by is left out."""
    units = [{**_plain(asdict(one.unit)), "sends": one.sends, "withheld": one.withheld} for one in seen.units]
    about = {"unrouted": seen.unrouted, "not_loaded": seen.not_loaded, "held": seen.held}
    return {"now": _instant(seen.now), "until": _instant(seen.until), "units": units, **about}


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    said = {name: value for name, value in fields.items() if value is not None and value is not False}
    return {name: _instant(value) if isinstance(value, datetime) else _text(value) for name, value in said.items()}


def _text(value: object) -> object:
    return value if isinstance(value, bool | int) else str(value)


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


_DAY_COLUMNS = ("Day in Boston", "Kind", "Messages", "Withheld as things stand")
_CELL_COLUMNS = ("Instant in Boston", "What", "Residency", "Zone", "People", "Withheld as things stand")


def _day_rows(seen: Forecast) -> list[Sequence[str]]:
    return [
        (f"{one.unit.day:%a %Y-%m-%d}", words(one.unit.kind), f"{one.sends:,}", _withheld(one)) for one in seen.units
    ]


def _cell_rows(seen: Forecast) -> list[Sequence[str]]:
    return [
        (
            local(one.unit.at or seen.now, HOME_ZONE),
            _what(one),
            words(one.unit.residency or "everybody"),
            one.unit.zone or "all",
            f"{one.sends:,}",
            _withheld(one),
        )
        for one in seen.units
    ]


def _what(one: UnitForecast) -> str:
    unit = one.unit
    deadline = (unit.program, words(unit.round or ""), unit.entry_term, unit.stated_date)
    about = (*deadline, unit.prep_session_id, unit.offset, "caught up" if unit.catch_up else "")
    return f"{words(unit.kind)}: " + " ".join(str(part) for part in about if part)


def _withheld(one: UnitForecast) -> str:
    return ", ".join(f"{words(reason)} {number:,}" for reason, number in sorted(one.withheld.items()))


def _remark(seen: Forecast) -> None:
    for sentence in holds_in_words(seen.held):
        REMARKS.print(f"{sentence} It is counted as if it went out.", highlight=False, markup=False, soft_wrap=True)
    if seen.unrouted or seen.not_loaded:
        REMARKS.print(
            f"Not in it: what {seen.not_loaded} rows or batches bring that are not loaded yet, and {seen.unrouted} "
            "people who wait for a route. Run intake and route, then look again."
        )


def local(instant: datetime, zone: str) -> str:
    """``Tue 2026-12-01 10:00`` on the clock of a zone."""
    return f"{instant.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M}"


def words(name: str) -> str:
    """A name of the ledger as people write it."""
    return name.replace("_", " ")
