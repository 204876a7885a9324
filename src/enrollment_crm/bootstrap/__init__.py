"""Turns settings into the parts of a running pipeline. Nothing else builds them."""

from enrollment_crm.bootstrap.clock import clock_of
from enrollment_crm.bootstrap.configuration import (
    countries_of,
    country_zones_of,
    field_maps_of,
    identity_rules_of,
    programs_of,
    row_rules_of,
    secret_of,
    sources_of,
    templates_of,
    validator_of,
    written_field_maps_of,
)
from enrollment_crm.bootstrap.credentials import Connections, has_address, query_of
from enrollment_crm.bootstrap.database import NoDatabaseError, engine_of
from enrollment_crm.bootstrap.dropped_files import dropped_files_of
from enrollment_crm.bootstrap.feedback import bounce_limit_of, bounce_mailbox_of, feedback_policy_of
from enrollment_crm.bootstrap.feeds import feed_watch_of, feeds_of, pull_limits_of
from enrollment_crm.bootstrap.loaders import loaders_of
from enrollment_crm.bootstrap.outbox import outbox_of, sender_of
from enrollment_crm.bootstrap.rehearsal import rehearsal_outbox_of, rehearsal_parts_of
from enrollment_crm.bootstrap.setup_checks import mail_setup_of
from enrollment_crm.bootstrap.source_checks import trials_of
from enrollment_crm.bootstrap.transports import accept_log_of, smtp_options_of, transport_of
from enrollment_crm.bootstrap.warm_up import warm_up
from enrollment_crm.bootstrap.webhooks import webhooks_of

__all__ = [
    "Connections",
    "NoDatabaseError",
    "accept_log_of",
    "bounce_limit_of",
    "bounce_mailbox_of",
    "clock_of",
    "countries_of",
    "country_zones_of",
    "dropped_files_of",
    "engine_of",
    "feed_watch_of",
    "feedback_policy_of",
    "feeds_of",
    "field_maps_of",
    "has_address",
    "identity_rules_of",
    "loaders_of",
    "mail_setup_of",
    "outbox_of",
    "programs_of",
    "pull_limits_of",
    "query_of",
    "rehearsal_outbox_of",
    "rehearsal_parts_of",
    "row_rules_of",
    "secret_of",
    "sender_of",
    "smtp_options_of",
    "sources_of",
    "templates_of",
    "transport_of",
    "trials_of",
    "validator_of",
    "warm_up",
    "webhooks_of",
    "written_field_maps_of",
]
