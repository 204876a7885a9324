"""Options of commands by which a member of staff decides something: who, and why. Both are kept."""

from typing import Annotated

import typer

from enrollment_crm.bootstrap import clock_of
from enrollment_crm.settings import Settings
from enrollment_crm.workflows.quarantine import Decision

By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides; kept in the audit trail.")]
Why = Annotated[str, typer.Option("--why", metavar="WORDS", help="Why; kept in the audit trail.")]


def decision_of(settings: Settings, *, by: str, why: str, needs_why: bool = True) -> Decision:
    """The decision, now.

    Raises:
        typer.BadParameter: nobody is named, or a reason is wanting.
    """
    if not by.strip():
        raise typer.BadParameter("say who decides: it is kept in the audit trail.", param_hint="--by")
    if needs_why and not why.strip():
        raise typer.BadParameter("say why: it is kept in the audit trail.", param_hint="--why")
    return Decision(by=by.strip(), at=clock_of(settings)(), why=why.strip())
