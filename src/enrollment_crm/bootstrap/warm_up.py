"""What the process that forks tasks does once for all of them."""

from sqlalchemy.orm import configure_mappers

from enrollment_crm.bootstrap.clock import clock_of
from enrollment_crm.bootstrap.configuration import country_zones_of, field_maps_of, templates_of, validator_of
from enrollment_crm.bootstrap.database import engine_of, keep_practised
from enrollment_crm.bootstrap.outbox import outbox_of
from enrollment_crm.domain.field_maps import translate
from enrollment_crm.settings import Settings
from enrollment_crm.workflows.practice import practise_one_signup


def warm_up(settings: Settings) -> None:
    """Do once what every task would do again: import, compile, judge a row of each kind, take one signup to its end.

    For the process that forks tasks: its children have the result, and rebuild it only where a file has changed.
    """
    from enrollment_crm.validation.verdicts import CandidateRow  # noqa: PLC0415 - belongs to the line below

    configure_mappers()
    country_zones_of(settings)
    validator, field_maps = validator_of(settings), field_maps_of(settings)
    for kind, field_map in {one.kind: one for one in field_maps.values()}.items():
        validator.validate(kind, [CandidateRow(0, translate({}, field_map))])
    templates_of(settings)
    _practise(settings)


def _practise(settings: Settings) -> None:
    """Take one made-up signup to its welcome; keep the statements that were compiled for it, and nothing else."""
    engine = engine_of(settings)
    try:
        practise_one_signup(
            outbox_of(settings, engine),
            validator_of(settings),
            field_maps_of(settings),
            country_zones=country_zones_of(settings),
            now=clock_of(settings)(),
        )
    finally:
        engine.dispose()
        keep_practised(settings, engine)
