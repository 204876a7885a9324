"""``enrollment-crm people``: everybody, with route, deadline, messages and states."""

import dataclasses
import json

import typer

from enrollment_crm.bootstrap import clock_of
from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.options import AsJson
from enrollment_crm.cli.output import REMARKS, print_rows
from enrollment_crm.settings import Settings
from enrollment_crm.workflows.overview import IntakeFacts, MessageFacts, Overview, PersonOverview, overview

#: Each person has more messages than lines of anything else: these get the room.
_AT_MOST = {"Name": 14, "Route": 25, "Next deadline": 13}
_MARKS = {"accepted": "✓", "failed": "✗", "uncertain": "?"}


def people(*, as_json: AsJson = False) -> None:
    """Show everybody: route, next deadline, messages and their states; and every rejected row with its reason."""
    settings = Settings()
    with crm_database(settings) as engine:
        seen = overview(engine, now=clock_of(settings)())
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(seen), default=str))
    else:
        print_overview(seen)


def print_overview(seen: Overview) -> None:
    """The overview as tables."""
    columns = ("Id", "Name", "Route", "Next deadline", "Messages")
    print_rows("People", columns, [_row(one) for one in seen.people], at_most=_AT_MOST)
    rejected = [(str(one.inbox_id), one.source, one.column, one.reason) for one in seen.quarantine]
    print_rows("Quarantine", ("Row", "Source", "Field", "Reason"), rejected)
    intake = seen.intake
    REMARKS.print(
        f"{intake.rows_in} rows in = {intake.accepted} accepted + {intake.quarantined} quarantined"
        f"{_besides(intake)}; {intake.open_reviews} reviews wait for a person.",
        soft_wrap=True,
    )


def _besides(intake: IntakeFacts) -> str:
    """What is not there in most overviews."""
    discarded = f" + {intake.discarded} discarded" if intake.discarded else ""
    again = f"; {intake.duplicates} rows came again" if intake.duplicates else ""
    stopped = f"; {intake.stopped} batches are stopped" if intake.stopped else ""
    return f"{discarded}{again}{stopped}"


def _row(one: PersonOverview) -> tuple[str, ...]:
    route = f"{one.residency.replace('_', ' ')}\n{', '.join(one.entry_terms)}\n-> {one.owner}"
    return (str(one.person_id), one.name, route, one.next_deadline, "\n".join(map(_message, one.messages)))


def _message(one: MessageFacts) -> str:
    about = " ".join(filter(None, [one.kind, one.about, one.offset])).replace("_", " ")
    return f"{_MARKS.get(one.state, '-')} {about}: {one.state.replace('_', ' ')}"
