"""``enrollment-crm route``: decide routes, as the task of that name does."""

import dataclasses
from functools import partial

from enrollment_crm.bootstrap import identity_rules_of, programs_of
from enrollment_crm.cli.database import crm_database
from enrollment_crm.cli.options import AsJson, AsOf, DryRun, instant_of_command
from enrollment_crm.cli.output import print_counts, steps
from enrollment_crm.settings import Settings
from enrollment_crm.workflows.routing import route_people


def route(*, dry_run: DryRun = False, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Decide the residency group and the owner of everybody whose evidence has changed.

    Unknown or contradictory evidence opens a review; until it is decided the person gets the earliest date and
    neutral words.
    """
    settings = Settings()
    now = instant_of_command(as_of, settings, dry_run=dry_run)
    with crm_database(settings) as engine, steps(quiet=as_json) as run:
        routed = run(
            "Routing",
            partial(
                route_people,
                engine,
                programs_of(settings),
                default_program=settings.default_program,
                rules=identity_rules_of(settings),
                now=now,
                dry_run=dry_run,
            ),
        )
    print_counts("Routing", {"route": dataclasses.asdict(routed)}, as_json=as_json)
