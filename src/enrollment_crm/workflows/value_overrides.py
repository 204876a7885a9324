"""Value overrides: operations give the values of a source a meaning, for rejected rows and for those to come."""

from dataclasses import replace

from sqlalchemy import Engine

from enrollment_crm.domain.instants import check_aware
from enrollment_crm.domain.quarantine import QuarantineError, Step
from enrollment_crm.domain.raw_values import lookup_key
from enrollment_crm.domain.value_overrides import ValueOverride, override_of
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.quarantine import TrailStep, add_steps
from enrollment_crm.storage.value_overrides import (
    DecidedOverride,
    decide_override,
    decided_overrides,
    withdraw_override,
)
from enrollment_crm.workflows.quarantine import Configuration, Decision

__all__ = ["DecidedOverride", "fix_values", "list_overrides", "take_back_override"]


def fix_values(
    engine: Engine, configuration: Configuration, wanted: ValueOverride, decision: Decision
) -> ValueOverride:
    """Give a value of a source a meaning, for the rows of the quarantine once they are replayed and for those to come.

    Raises:
        QuarantineError: the source is not configured, or the value cannot mean this.
    """
    check_aware(decision.at)
    field_map = configuration.field_maps.get(wanted.source)
    if field_map is None:
        raise QuarantineError(f"There is no such source: write one of {', '.join(configuration.field_maps)}.")
    override = override_of(
        field_map,
        field=wanted.field,
        given=wanted.given,
        meaning=wanted.meaning,
        known_programs=configuration.cadences.programs,
    )
    with transaction(engine) as connection:
        decide_override(connection, DecidedOverride(override, decision.at, decision.by, decision.why))
        add_steps(connection, [_step(override, decision)])
    return override


def list_overrides(engine: Engine) -> list[DecidedOverride]:
    """The meanings that operations gave values, beside the value maps of the sources' files."""
    with transaction(engine) as connection:
        return decided_overrides(connection)


def take_back_override(engine: Engine, override: ValueOverride, decision: Decision) -> None:
    """A value means again what the file of its source says, or nothing.

    Raises:
        QuarantineError: nobody has given it a meaning.
    """
    with transaction(engine) as connection:
        key = {"source": override.source, "field": override.field, "given": lookup_key(override.given)}
        if not withdraw_override(connection, **key):
            raise QuarantineError("Nobody has given this value a meaning: see `enrollment-crm quarantine meanings`.")
        add_steps(connection, [_step(override, decision)])


def _step(override: ValueOverride, decision: Decision) -> TrailStep:
    return replace(decision.step(Step.MAPPED), source=override.source, field=override.field)
