"""The public site of this machine's settings.

Run it with ``uvicorn --factory enrollment_crm.web.public.app:create_app`` and these options: ``--no-access-log
--no-server-header --no-proxy-headers --http enrollment_crm.web.public.connections:PatientProtocol``.
"""

import logging
import time

from sqlalchemy import Engine
from starlette.types import ASGIApp

from enrollment_crm.bootstrap import clock_of, engine_of, programs_of, sender_of, webhooks_of
from enrollment_crm.mail.personal_links import read_personal_token
from enrollment_crm.mail.unsubscribe import read_unsubscribe_token
from enrollment_crm.settings import Settings
from enrollment_crm.storage.schema import current_revision, newest_revision
from enrollment_crm.web.public.clients import TrustedProxies
from enrollment_crm.web.public.form_limits import FormLimits
from enrollment_crm.web.public.parts import PublicParts
from enrollment_crm.web.public.site import build_site
from enrollment_crm.workflows.calendar_feeds import read_calendar_feed
from enrollment_crm.workflows.consent import unsubscribe
from enrollment_crm.workflows.inbox import receive_form
from enrollment_crm.workflows.preferences import read_preferences, save_preferences
from enrollment_crm.workflows.request_info import options
from enrollment_crm.workflows.webhooks import receive_webhook


def create_app() -> ASGIApp:
    """The site, from the environment. It starts without a database and says so in ``/health/ready``."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # Uvicorn's own access log writes query strings and the keys in unsubscribe links; AccessLog stands in for it.
    logging.getLogger("uvicorn.access").disabled = True
    return build_site(parts_of(Settings()))


def parts_of(settings: Settings) -> PublicParts:
    """The workflows behind the pages, bound to the database and the programs of the settings.

    Raises:
        NoDatabaseError: CRM_DATABASE_URL is not set.
        ProgramConfigurationError: a file in config/programs/ cannot be.
        FieldMapError: a file in config/sources/ cannot be.
    """
    engine, programs = engine_of(settings), programs_of(settings)
    secret = settings.secret_key.get_secret_value().encode()
    return PublicParts(
        default_program=settings.default_program,
        programs=programs.keys(),
        sender_name=settings.sender_name,
        sender_address=settings.sender_address,
        postal_address=settings.postal_address,
        public_url=settings.public_url.rstrip("/"),
        clock=clock_of(settings),
        stopwatch=time.time,
        request_info_options=lambda program, now: options(engine, programs[program], now=now),
        form_limits=form_limits_of(settings),
        receive_form=lambda fields, now: receive_form(engine, fields, now=now),
        read_unsubscribe_token=lambda token: read_unsubscribe_token(token, secret=secret),
        unsubscribe=lambda person_id, topic, now: unsubscribe(engine, person_id, topic, now=now),
        read_personal_token=lambda link, token: read_personal_token(link, token, secret=secret),
        preferences=lambda person_id, now: read_preferences(engine, person_id, now=now),
        save_preferences=lambda person_id, chosen, now: save_preferences(
            engine, person_id, topics=chosen.topics, paused_until=chosen.paused_until, now=now
        ),
        calendar_feed=lambda person_id, now: read_calendar_feed(
            engine, programs, sender_of(settings), person_id, now=now
        ),
        webhooks=webhooks_of(settings),
        receive_webhook=lambda source, event_id, rows, now: receive_webhook(engine, source, event_id, rows, now=now),
        database_problem=lambda: database_problem(engine),
    )


def form_limits_of(settings: Settings) -> FormLimits:
    """The limits of the settings, with empty counts."""
    return FormLimits(
        posts_per_client_and_minute=settings.form_posts_per_client_and_minute,
        posts_per_address_and_hour=settings.form_posts_per_address_and_hour,
        proxies=TrustedProxies.parse(settings.trusted_proxies),
        stopwatch=time.time,
    )


def database_problem(engine: Engine) -> str | None:
    """Why this code cannot use the database, in words; None when it can.

    Raises:
        SQLAlchemyError: it cannot be reached.
    """
    with engine.connect() as connection:
        found = current_revision(connection)
    expected = newest_revision()
    if found == expected:
        return None
    return f"The database is at revision {found}, this code expects {expected}. Run `enrollment-crm db upgrade`."
