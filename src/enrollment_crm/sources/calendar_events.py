"""Events of a calendar feed that share a UID: one session, or the occurrences of a repeated one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from icalendar import Event

from enrollment_crm.domain.listings import HoldReason, ListingError, Listings, held, home_day, is_too_far, is_uncertain
from enrollment_crm.domain.prep_sessions import PrepSession
from enrollment_crm.sources.calendar_times import (
    CalendarTime,
    day_of,
    is_time,
    length_in_minutes,
    read_time,
)
from enrollment_crm.sources.listed_words import in_one_line
from enrollment_crm.sources.recurrences import RecurrenceNotFollowed, occurrences

_ONCE = frozenset({"UID", "DTSTART", "DTEND", "DURATION", "RRULE", "RECURRENCE-ID", "STATUS", "SEQUENCE", "SUMMARY"})
_ENDS = {"DTEND", "DURATION"}
#: What a session is made of; what else is broken in an event does not matter.
_USED = _ONCE | {"EXDATE"}
#: icalendar takes a time of the day, a length or a period for each of them.
_KINDS: dict[str, type] = {
    "DTSTART": date,
    "DTEND": date,
    "RECURRENCE-ID": date,
    "EXDATE": date,
    "DURATION": timedelta,
}


@dataclass(frozen=True)
class EventSeries:
    """The events of one UID: the one that stands for all, and the occurrences that were changed."""

    id: str
    events: tuple[Event, ...]
    calendar_zone: str
    today: date

    def listings(self) -> Listings:
        """All of it, or all of it held back."""
        relevant = [event for event in self.events if not self._is_over(event)]
        try:
            for event in relevant:
                _check(event)
            return sum((self._listing(*one) for one in self._occurrences(relevant)), Listings())
        except ListingError as error:
            return held(self.id, HoldReason.INCOMPLETE, str(error))
        except OverflowError:
            return held(self.id, HoldReason.INCOMPLETE, "its date is at the end of time")
        except RecurrenceNotFollowed as error:
            return held(self.id, HoldReason.RECURRENCE, f"{error}: list its sessions in config/programs/")

    def _is_over(self, event: Event) -> bool:
        """Whether an event that does not repeat was before today; what is broken in it matters to nobody then."""
        names = {"DTSTART", "RRULE", "RDATE", "RECURRENCE-ID"}
        if names & _broken(event) or "DTSTART" not in event or isinstance(event["DTSTART"], list):
            return False
        repeats = names & event.keys() - {"DTSTART"}
        return not repeats and day_of(event["DTSTART"]) < self.today - timedelta(days=1)

    def _occurrences(self, events: Iterable[Event]) -> Iterator[tuple[str, Event, CalendarTime | None]]:
        """The id, the event and the start of each; the start is None where an event has a day and no hour."""
        newest: dict[datetime | date | None, Event] = {}
        for event in sorted(events, key=_said_at):
            key = self._key(event)
            before = newest.get(key, event)
            if _said_at(before) == _said_at(event) and _stated(before, "DTSTART").dt != _stated(event, "DTSTART").dt:
                raise ListingError("it is there twice, with two starts and the same SEQUENCE")
            newest[key] = event
        changed = {key: event for key, event in newest.items() if key is not None}
        for key, event in changed.items():
            yield f"{self.id}/{_stamp(key)}", event, self._start(event)
        alone = newest.get(None)
        if alone is not None and ("RRULE" not in alone or not is_time(alone["DTSTART"])):
            yield self.id, alone, self._start(alone)
        elif alone is not None:
            yield from self._repeated(alone, changed.keys())

    def _repeated(self, event: Event, changed: Iterable[datetime | date]) -> Iterator[tuple[str, Event, CalendarTime]]:
        first = read_time(event["DTSTART"], calendar_zone=self.calendar_zone)
        days = occurrences(
            _stated(event, "RRULE"), first.wall_clock, first.zone, from_day=self.today - timedelta(days=1)
        )
        for start in map(first.moved_to, days):
            if start.instant not in changed and not self._is_excluded(event, start):
                yield f"{self.id}/{_stamp(start.instant)}", event, start

    def _is_excluded(self, event: Event, start: CalendarTime) -> bool:
        for stated in _excluded(event):
            if not is_time(stated) and day_of(stated) == start.wall_clock.date():
                return True
            if is_time(stated) and read_time(stated, calendar_zone=self.calendar_zone).instant == start.instant:
                return True
        return False

    def _key(self, event: Event) -> datetime | date | None:
        """Which occurrence an event stands for, by its original start; None: for all of them."""
        stated = event.get("RECURRENCE-ID")
        if stated is None:
            return None
        return read_time(stated, calendar_zone=self.calendar_zone).instant if is_time(stated) else day_of(stated)

    def _start(self, event: Event) -> CalendarTime | None:
        return read_time(event["DTSTART"], calendar_zone=self.calendar_zone) if is_time(event["DTSTART"]) else None

    def _listing(self, id_: str, event: Event, start: CalendarTime | None) -> Listings:
        title, status = words_of(event, "SUMMARY"), words_of(event, "STATUS").upper()
        if start is None:
            day = day_of(event["DTSTART"])
            ahead = day >= self.today or "RRULE" in event
            return held(id_, HoldReason.ALL_DAY, f"it is on {day} and names no hour") if ahead else Listings()
        day = home_day(start.instant)
        if day < self.today:
            return Listings()
        if is_too_far(day, read_on=self.today):
            return held(id_, HoldReason.UNCERTAIN, f"it is listed for {day}: is that the year?")
        session = self._session(id_, event, start, title)
        if status == "CANCELLED":
            return Listings(cancelled=(session,))
        if status == "TENTATIVE" or is_uncertain(title):
            when = f"{session.local_start:%Y-%m-%d %H:%M} {session.zone}"
            return held(
                id_, HoldReason.UNCERTAIN, f"{title!r} on {when} is {status.lower() or 'listed'}: does it hold?"
            )
        return Listings(sessions=(session,), warnings=(f"{id_}: {start.warning}",) if start.warning else ())

    def _session(self, id_: str, event: Event, start: CalendarTime, title: str) -> PrepSession:
        url = words_of(event, "URL")
        return PrepSession(
            id=id_,
            title=title,
            starts=start.instant,
            zone=start.announced_in,
            minutes=self._minutes(event),
            location=words_of(event, "LOCATION"),
            url=url if urlsplit(url).scheme in {"http", "https"} else "",
            sequence=_said_at(event),
        )

    def _minutes(self, event: Event) -> int:
        if words_of(event, "STATUS").upper() == "CANCELLED" and not _ENDS & event.keys():
            # Who cancels need not say again how long it would have been.
            return 0
        starts = read_time(event["DTSTART"], calendar_zone=self.calendar_zone)
        return length_in_minutes(starts, event, calendar_zone=self.calendar_zone)


def _check(event: Event) -> None:
    broken = sorted(_broken(event) & (_USED | {"A LINE"}))
    double = sorted(name for name in _ONCE if isinstance(event.get(name), list))
    missing = [name for name in ("UID", "DTSTART") if not event.get(name)]
    if broken or double or missing:
        parts = {"broken": broken, "there twice": double, "missing": missing}
        raise ListingError("; ".join(f"{', '.join(names)}: {what}" for what, names in parts.items() if names))
    recurrence: Any = event.get("RECURRENCE-ID")
    if "RDATE" in event or "EXRULE" in event or (recurrence is not None and "RANGE" in recurrence.params):
        raise RecurrenceNotFollowed("it repeats by RDATE, EXRULE or 'this and future'")


def _broken(event: Event) -> set[str]:
    """The properties that could not be read, or are of another kind than they must be."""
    broken = {str(name or "a line").upper() for name, _ in event.errors}
    for name in _KINDS.keys() & event.keys() - broken:
        value = event[name]
        # What is there twice is another complaint, unless it may be.
        values = _excluded(event) if name == "EXDATE" else [] if isinstance(value, list) else [value]
        if not all(isinstance(getattr(one, "dt", None), _KINDS[name]) for one in values):
            broken.add(name)
    return broken


def _excluded(event: Event) -> list[Any]:
    """All times and days of EXDATE, which may be there several times with several each."""
    lists = event.get("EXDATE", [])
    return [stated for one in (lists if isinstance(lists, list) else [lists]) for stated in one.dts]


def _stated(event: Event, name: str) -> Any:
    """A property that was checked, as the kind of value that it has."""
    return event[name]


def _said_at(event: Event) -> int:
    """Which version of the event this is: the highest one holds."""
    return int(event.get("SEQUENCE", 0))


def _stamp(original_start: datetime | date) -> str:
    if isinstance(original_start, datetime):
        return f"{original_start.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return f"{original_start:%Y%m%d}"


def words_of(event: Event, name: str) -> str:
    """A text of an event in one line; empty where there is none, or where it is broken."""
    value = event.get(name, "")
    return in_one_line(str(value)) if isinstance(value, str) else ""
