"""The CRM database of the settings."""

from sqlalchemy import Engine

from enrollment_crm.settings import Settings
from enrollment_crm.storage.engine import connect

#: Engines that know their statements already, by URL. They hold no connection: children must not share one.
_PRACTISED: dict[str, Engine] = {}


class NoDatabaseError(RuntimeError):
    """CRM_DATABASE_URL is not set. Start everything with `enrollment-crm up`, or set it to your PostgreSQL."""


def engine_of(settings: Settings) -> Engine:
    """An engine for the CRM database.

    Raises:
        NoDatabaseError: the settings name none.
    """
    url = settings.database_url.get_secret_value()
    if not url:
        raise NoDatabaseError(NoDatabaseError.__doc__)
    return _PRACTISED.get(url) or connect(url)


def keep_practised(settings: Settings, engine: Engine) -> None:
    """Give this engine out from now on: it has compiled the statements of a signup, and holds no connection."""
    _PRACTISED[settings.database_url.get_secret_value()] = engine
