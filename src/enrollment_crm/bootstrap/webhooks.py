"""The sources that may post to us, with their secrets from the environment."""

import logging
import os
from collections.abc import Iterator, Mapping

from enrollment_crm.bootstrap.configuration import field_maps_of
from enrollment_crm.bootstrap.feedback import feedback_policy_of
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.feedback import FeedbackRecord
from enrollment_crm.domain.webhooks import SecretUnusableError, WebhookSource, key_of
from enrollment_crm.settings import Settings

_LOG = logging.getLogger(__name__)


def webhooks_of(settings: Settings, environment: Mapping[str, str] = os.environ) -> Mapping[str, WebhookSource]:
    """Each source with ``transport: webhook`` that has a secret, by its name.

    One without is left out, which denies it, and the log says what to set: the site serves everybody else.
    """
    found = {}
    for name, kind, variables in _posting(settings):
        keys = tuple(_keys(name, variables, environment))
        if keys:
            found[name] = WebhookSource(name, kind, keys)
        else:
            wanted = " or ".join(variables) or "secrets in its file"
            _LOG.warning("webhook %s: no secret, so every post is answered with 404; set %s", name, wanted)
    return found


def _posting(settings: Settings) -> Iterator[tuple[str, RecordKind | FeedbackRecord, tuple[str, ...]]]:
    """Who may post, what about, and the variables with their secrets: sources of rows, and the mail provider."""
    for name, field_map in field_maps_of(settings).items():
        if field_map.webhook_secrets is not None:
            yield name, field_map.kind, field_map.webhook_secrets
    policy = feedback_policy_of(settings)
    yield policy.provider, FeedbackRecord.MAIL_EVENT, policy.provider_secrets


def _keys(name: str, variables: tuple[str, ...], environment: Mapping[str, str]) -> Iterator[bytes]:
    for variable in variables:
        if secret := environment.get(variable, ""):
            try:
                yield key_of(secret)
            except SecretUnusableError as error:
                _LOG.warning("webhook %s: %s is not used. %s", name, variable, error)
