"""The match rules of ``config/identity.yml``, checked with errors in words."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from enrollment_crm.domain.identity import MatchEffect, MatchField, MatchRule, MatchRules


class IdentityRulesError(ValueError):
    """config/identity.yml says something that cannot be. Correct the file; nobody was matched by it."""


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    fields: list[MatchField]
    effect: MatchEffect


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rules: list[_Rule]
    contradicted_by: list[MatchField] = []


def read_match_rules(file: Path) -> MatchRules:
    """The rules by which records are one person.

    Raises:
        IdentityRulesError: a rule cannot be.
    """
    try:
        said = _File.model_validate(yaml.safe_load(file.read_text("utf-8")))
        rules = tuple(MatchRule(one.name, tuple(one.fields), one.effect) for one in said.rules)
        return MatchRules(rules, tuple(said.contradicted_by))
    except ValidationError as error:
        words = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise IdentityRulesError(f"{file.name}: {words}") from None
    except (ValueError, OSError, yaml.YAMLError) as error:
        raise IdentityRulesError(f"{file.name}: {error}") from error
