"""What is done with what comes back, as ``config/feedback.yml`` says, checked with errors in words."""

from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from enrollment_crm.domain.feedback import ComplaintLimit


class FeedbackConfigurationError(ValueError):
    """config/feedback.yml says something that cannot be. Correct the file; nothing was changed."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _ComplaintsEntry(_Strict):
    share: float = Field(gt=0, lt=1)
    window_in_days: int = Field(ge=1, le=90)
    at_least: int = Field(ge=1)


class _SecretEntry(_Strict):
    #: Name of a variable of the environment.
    environment: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")


class _ProviderEntry(_Strict):
    #: The last part of the address that the provider posts to.
    source: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    secrets: list[_SecretEntry] = Field(max_length=2)


class _FeedbackFile(_Strict):
    complaints: _ComplaintsEntry
    provider_webhook: _ProviderEntry
    letters_a_run: int = Field(ge=1)


@dataclass(frozen=True)
class FeedbackPolicy:
    """When complaints stop a kind of message, how many letters one run reads, and who may post events."""

    complaints: ComplaintLimit
    letters_a_run: int
    #: Name of the source under which the mail provider posts events.
    provider: str
    #: Variables of the environment with its live secrets.
    provider_secrets: tuple[str, ...]


def read_feedback_policy(file: Path) -> FeedbackPolicy:
    """Read the file.

    Raises:
        FeedbackConfigurationError: it is not there, or says something that cannot be.
    """
    try:
        said = _FeedbackFile.model_validate(yaml.safe_load(file.read_text("utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise FeedbackConfigurationError(f"{file.name} cannot be read: {type(error).__name__}.") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise FeedbackConfigurationError(f"{file.name}, {where or 'the whole file'}: {first['msg']}.") from error
    limit = said.complaints
    return FeedbackPolicy(
        ComplaintLimit(limit.share, limit.window_in_days, limit.at_least),
        letters_a_run=said.letters_a_run,
        provider=said.provider_webhook.source,
        provider_secrets=tuple(one.environment for one in said.provider_webhook.secrets),
    )
