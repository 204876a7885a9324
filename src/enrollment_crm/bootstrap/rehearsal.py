"""What a rehearsal needs: the real parts, and a transport that only records."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Engine

from enrollment_crm.bootstrap.configuration import (
    country_zones_of,
    field_maps_of,
    programs_of,
    validator_for,
)
from enrollment_crm.bootstrap.outbox import outbox_of
from enrollment_crm.domain.freshness import NOTHING_WATCHED
from enrollment_crm.domain.scenarios import Scenario
from enrollment_crm.mail.recording import RecordingTransport
from enrollment_crm.settings import Settings
from enrollment_crm.sources.programs import override_cadence
from enrollment_crm.workflows.outbox import Outbox
from enrollment_crm.workflows.rehearsal import RehearsalParts


def rehearsal_parts_of(settings: Settings, engine: Engine, scenario: Scenario) -> RehearsalParts:
    """What rehearses a scenario: the real parts, with its own cadence and programs, and a transport that records.

    Raises:
        ProgramConfigurationError: the scenario's ``config`` says what cannot be.
    """
    outbox = rehearsal_outbox_of(settings, engine, scenario)
    validator = validator_for(settings, tuple(outbox.programs))
    return RehearsalParts(outbox, validator, field_maps_of(settings), country_zones_of(settings))


def rehearsal_outbox_of(settings: Settings, engine: Engine, scenario: Scenario) -> Outbox:
    """The outbox of a rehearsal: it records instead of sending, and a sweep looks at its own instant alone."""
    default = programs_of(settings)[settings.default_program]
    cadence = override_cadence(default.cadence, scenario.config)
    keys = {settings.default_program, *scenario.programs()}
    programs = {key: replace(default, key=key, cadence=cadence) for key in sorted(keys)}
    return replace(
        outbox_of(settings, engine),
        programs=programs,
        transport=RecordingTransport(),
        punctuality=timedelta(0),
        # Its applications come as facts and not by a feed.
        freshness=NOTHING_WATCHED,
    )
