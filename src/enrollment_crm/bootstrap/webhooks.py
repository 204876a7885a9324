"""The sources that may post to us, with their secrets from the environment."""

import logging
import os
from collections.abc import Iterator, Mapping

from enrollment_crm.bootstrap.configuration import field_maps_of
from enrollment_crm.domain.webhooks import SecretUnusableError, WebhookSource, key_of
from enrollment_crm.settings import Settings

_LOG = logging.getLogger(__name__)


def webhooks_of(settings: Settings, environment: Mapping[str, str] = os.environ) -> Mapping[str, WebhookSource]:
    """Each source with ``transport: webhook`` that has a secret, by its name.

    One without is left out, which denies it, and the log says what to set: the site serves everybody else.
    """
    found = {}
    for name, field_map in field_maps_of(settings).items():
        if field_map.webhook_secrets is None:
            continue
        keys = tuple(_keys(name, field_map.webhook_secrets, environment))
        if keys:
            found[name] = WebhookSource(name, field_map.kind, keys)
        else:
            wanted = " or ".join(field_map.webhook_secrets) or "secrets in its file"
            _LOG.warning("webhook %s: no secret, so every post is answered with 404; set %s", name, wanted)
    return found


def _keys(name: str, variables: tuple[str, ...], environment: Mapping[str, str]) -> Iterator[bytes]:
    for variable in variables:
        if secret := environment.get(variable, ""):
            try:
                yield key_of(secret)
            except SecretUnusableError as error:
                _LOG.warning("webhook %s: %s is not used. %s", name, variable, error)
