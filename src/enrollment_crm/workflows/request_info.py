"""What the request-info page offers: the coming terms and sessions."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from enrollment_crm.domain.dates_in_words import in_boston
from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.programs import Program
from enrollment_crm.storage.deadlines import deadlines_in_force
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.prep_sessions import prep_sessions_after


@dataclass(frozen=True)
class PrepSessionOption:
    """A session that can be chosen: its id, and what people read."""

    id: str
    label: str


@dataclass(frozen=True)
class RequestInfoOptions:
    """The choices of the form for one program at one instant."""

    program_name: str
    entry_terms: tuple[str, ...]
    prep_sessions: tuple[PrepSessionOption, ...]


def options(engine: Engine, program: Program, *, now: datetime) -> RequestInfoOptions:
    """Terms with a final deadline still ahead, earliest first, and sessions that have not begun."""
    check_aware(now)
    with transaction(engine) as connection:
        ahead = [one for one in deadlines_in_force(connection) if one.ends_at() > now]
        sessions = prep_sessions_after(connection, now)
    terms = sorted({one.group.entry_term for one in ahead if one.group.program == program.key})
    return RequestInfoOptions(
        program_name=program.name,
        entry_terms=tuple(str(term) for term in terms),
        prep_sessions=tuple(
            PrepSessionOption(one.id, f"{one.title}, {in_boston(one.starts, now=now)}") for one in sessions
        ),
    )
