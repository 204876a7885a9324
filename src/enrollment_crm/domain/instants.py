"""Instants and wall clocks. Nothing here reads a clock: the instant is always an argument."""

from datetime import UTC, date, datetime, time, tzinfo


class NaiveDatetimeError(ValueError):
    """A datetime without a zone reached a place that needs an instant. Give it a zone where it is made."""


def check_aware(instant: datetime) -> datetime:
    """The instant itself.

    Raises:
        NaiveDatetimeError: it has no zone.
    """
    if instant.tzinfo is None or instant.utcoffset() is None:
        raise NaiveDatetimeError(f"{instant.isoformat()} has no time zone. {NaiveDatetimeError.__doc__}")
    return instant


def instant_of(day: date, wall_clock: time, zone: tzinfo) -> datetime:
    """The instant (UTC) at which clocks of the zone show this day and hour.

    A local time that does not exist moves forward by the length of the gap; one that occurs twice is the
    first (R4). ``fold=0`` means exactly that: PEP 495 reads a time in a gap with the offset before it.
    """
    local = datetime.combine(day, wall_clock.replace(fold=0), tzinfo=zone)
    return local.astimezone(UTC)
