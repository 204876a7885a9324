"""The settings as the variables that children read them from."""

from datetime import datetime

from pydantic import SecretStr

from enrollment_crm.settings import Settings


def variables_of(settings: Settings) -> dict[str, str]:
    """Every setting that is not left at its default, as its CRM_ variable."""
    prefix = settings.model_config.get("env_prefix", "")
    return {f"{prefix}{name}".upper(): _text(getattr(settings, name)) for name in sorted(settings.model_fields_set)}


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
