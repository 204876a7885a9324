"""``enrollment-crm reviews``: what only a person can decide.

.. pii: prints what sources say of people, for staff, on purpose.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy import Engine

from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.forecast import local, words
from enrollment_crm.cli.options import AsJson, By, Why, staff_action
from enrollment_crm.cli.output import REMARKS, print_rows
from enrollment_crm.domain.review_decisions import InvalidDecisionError
from enrollment_crm.domain.zones import HOME_ZONE
from enrollment_crm.settings import Settings
from enrollment_crm.storage.review_decisions import KnownReview
from enrollment_crm.workflows.people import CannotMergeError
from enrollment_crm.workflows.reviews import UnknownReviewError, decide_review, list_reviews, show_review

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""
    Questions about people that no rule answers: residency, two records that may be one person, late applications,
    values without a meaning, sessions that are not there.

    `decide` closes one with who decided what. A residency is decided as a group, and holds until newer evidence
    contradicts it; two records as `same` or `different`, for good; anything else in words. What calendars say and only
    a person can decide: `enrollment-crm calendar reviews`.
    """,
)

_Id = Annotated[int, typer.Argument(metavar="ID", help="Id of the review.")]


@contextmanager
def _database(settings: Settings) -> Iterator[Engine]:
    with crm_database(settings) as engine:
        try:
            yield engine
        except (UnknownReviewError, InvalidDecisionError, CannotMergeError) as error:
            REMARKS.print(f"[bold red]Error:[/] {escape(str(error))}", highlight=False)
            raise typer.Exit(1) from None


@app.command("list")
def list_(
    *,
    about: Annotated[str | None, typer.Option("--about", metavar="WORD", help="residency, same_person, ...")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Also those that are decided or answered.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the questions that wait, the oldest first."""
    with _database(Settings()) as engine:
        found = list_reviews(engine, about=about, closed=closed)
    if as_json:
        typer.echo(json.dumps([_as_json(one) for one in found]))
        return
    rows = [
        (str(one.id), _whom(one), words(one.about), one.detail, local(one.opened_at, HOME_ZONE), _end(one))
        for one in found
    ]
    print_rows("Waits for a person", ("Id", "Person", "About", "Detail", "Asked (Boston)", "Decided"), rows)


@app.command()
def show(review: _Id, *, as_json: AsJson = False) -> None:
    """Show one question. Who it is about: `enrollment-crm person show`."""
    with _database(Settings()) as engine:
        found = show_review(engine, review)
    if as_json:
        typer.echo(json.dumps(_as_json(found)))
        return
    rows = [
        ("About", words(found.about)),
        ("Person", _whom(found)),
        ("Detail", found.detail),
        ("Asked (Boston)", local(found.opened_at, HOME_ZONE)),
        ("Decided", _end(found)),
    ]
    print_rows(f"Review {found.id}", ("What", "Says"), rows)


@app.command()
def decide(
    review: _Id,
    decision: Annotated[str, typer.Argument(metavar="DECISION", help="A group; `same` or `different`; or words.")],
    *,
    by: By = "",
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Close a question with what was decided, and do what follows from it.

    Exit codes: 1 where no such question waits, or it cannot be decided like that.
    """
    settings = Settings()
    action = staff_action(settings, by=by, why=why)
    with _database(settings) as engine:
        closed = decide_review(engine, review, decision, action=action)
    if as_json:
        typer.echo(json.dumps({"review": closed.id, "about": closed.about, "person": closed.person_id}))
    else:
        REMARKS.print(f"Review {closed.id} about {words(closed.about)} is decided.", highlight=False)


def _as_json(one: KnownReview) -> dict[str, object]:
    plain: dict[str, object] = json.loads(json.dumps(asdict(one), default=str))
    return plain


def _whom(one: KnownReview) -> str:
    return f"{one.person_id} and {one.other_person_id}" if one.other_person_id else str(one.person_id)


def _end(one: KnownReview) -> str:
    if one.closed_at is None:
        return "open"
    return f"{one.decision} by {one.closed_by}" if one.closed_by else "answered by newer evidence"
