"""Cells: the question who of a due cell is due, as far as its statements share it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, TableValuedAlias, func, true

from enrollment_crm.domain.invitations import NextCutOff
from enrollment_crm.domain.outlook import Look
from enrollment_crm.domain.reminders import DueCell
from enrollment_crm.storage.models import PersonRow


@dataclass(frozen=True)
class CellPart:
    """Some of the people of a cell: those with greater ids than the first, up to the last. Ids, no people."""

    after_person_id: int
    through_person_id: int


@dataclass(frozen=True)
class DuePeople:
    """A cell, with what decides who of it is due: topics that readers may have left, and their next deadlines."""

    cell: DueCell
    reminder_topic: str
    invitation_topic: str
    #: The next deadline of each group: an invitation helps before the reader's own.
    cut_offs: Sequence[NextCutOff] = ()
    #: Only these people; None: everybody.
    person_ids: Sequence[int] | None = None
    #: Only people with greater ids, up to this one: a cell is gone through in the order of ids.
    after_person_id: int = 0
    through_person_id: int | None = None
    #: Also people whose route is being decided anew.
    also_unrouted: bool = False
    #: What sweeps will look at later on or in other zones: a forecast asks for it, a sweep does not.
    later: Sequence[Look] = ()

    @property
    def cells(self) -> list[DueCell]:
        """The cell and those of later looks; a row of a statement names its look by the place in this list."""
        return [self.cell, *(look.cell for look in self.later)]

    @property
    def zones(self) -> list[str]:
        """The zones of all looks; those of one zone are in order of time."""
        return sorted({cell.zone for cell in self.cells})


def in_zone_of(people: DuePeople, row: TableValuedAlias) -> ColumnElement[bool]:
    """SQL: the person lives in the zone of the row; of one zone alone `lives_in` says it."""
    return PersonRow.zone == row.c.zone if len(people.zones) > 1 else true()


def lives_in(people: DuePeople) -> list[ColumnElement[bool]]:
    """SQL: the routed people of the zone, or of the zones, of whom the question is."""
    zones = people.zones
    conditions: list[ColumnElement[bool]] = [
        PersonRow.zone == zones[0] if len(zones) == 1 else PersonRow.zone == func.any(zones)
    ]
    if not people.also_unrouted:
        conditions.append(PersonRow.needs_routing.is_(False))
    if people.person_ids is not None:
        conditions.append(PersonRow.id == func.any(list(people.person_ids)))
    if people.after_person_id:
        conditions.append(PersonRow.id > people.after_person_id)
    if people.through_person_id is not None:
        conditions.append(PersonRow.id <= people.through_person_id)
    return conditions
