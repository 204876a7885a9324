"""What `sources check` tries, by the settings."""

import os
from collections.abc import Mapping
from functools import partial

from enrollment_crm.bootstrap.configuration import programs_of, sources_of
from enrollment_crm.bootstrap.credentials import Connections, has_address, query_of
from enrollment_crm.bootstrap.feeds import pull_limits_of
from enrollment_crm.domain.sources import Source
from enrollment_crm.settings import Settings
from enrollment_crm.sources.feeds import read_pull
from enrollment_crm.workflows.source_checks import Trial


def trials_of(
    settings: Settings, *, connections: Connections | None = None, environment: Mapping[str, str] = os.environ
) -> dict[str, Trial]:
    """How each configured source is tried, by its name."""
    return {name: _trial(settings, source, connections, environment) for name, source in sources_of(settings).items()}


def _trial(
    settings: Settings, source: Source, connections: Connections | None, environment: Mapping[str, str]
) -> Trial:
    pull = None
    if source.is_pulled and has_address(settings, source, environment):
        query = query_of(settings, source, connections, environment)
        pull = partial(read_pull, source, query, limits=pull_limits_of(settings), first_page_only=True)
    return Trial(
        source=source,
        pull=pull,
        drop_directory=settings.drop_directory,
        secrets_set=tuple(one for one in source.webhook_secrets or () if environment.get(one)),
        programs=tuple(programs_of(settings)),
    )
