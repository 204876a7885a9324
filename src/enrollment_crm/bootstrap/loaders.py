"""What takes accepted rows of each kind into the people's records."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from enrollment_crm.bootstrap.configuration import country_zones_of
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.settings import Settings
from enrollment_crm.workflows.applications import load_applications
from enrollment_crm.workflows.checklists import load_checklists
from enrollment_crm.workflows.loading import Loaded
from enrollment_crm.workflows.signups import load_signups


def loaders_of(settings: Settings) -> Mapping[RecordKind, Callable[..., Loaded]]:
    """The loader of each kind of row; it still takes the engine, the field maps, ``now`` and ``dry_run``."""
    people: dict[str, Any] = {"country_zones": country_zones_of(settings), "default_program": settings.default_program}
    return {
        RecordKind.SIGNUP: partial(load_signups, **people),
        RecordKind.APPLICATION: partial(load_applications, **people),
        RecordKind.CHECKLIST: load_checklists,
    }
