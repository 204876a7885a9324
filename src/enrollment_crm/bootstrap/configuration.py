"""The folders that people edit, as the pipeline reads them: programs, sources, emails, suites."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from enrollment_crm.bootstrap.reading import as_long_as_unchanged
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.field_maps import FieldMap
from enrollment_crm.domain.identity import MatchRules
from enrollment_crm.domain.programs import Program
from enrollment_crm.domain.quarantine import RULES_OF_NO_SUITE
from enrollment_crm.domain.sources import Source
from enrollment_crm.mail.templates import TemplateLibrary
from enrollment_crm.settings import Settings
from enrollment_crm.sources.field_maps import read_countries, read_sources
from enrollment_crm.sources.identity import read_match_rules
from enrollment_crm.sources.programs import ProgramConfigurationError, read_country_zones, read_programs
from enrollment_crm.validation.suites import read_suite

if TYPE_CHECKING:
    from enrollment_crm.validation.batches import Validator


def programs_of(settings: Settings) -> Mapping[str, Program]:
    """The programs of the configuration.

    Raises:
        ProgramConfigurationError: a file cannot be, or the default program is not among them.
    """
    programs = as_long_as_unchanged(read_programs, settings.home_directory / "config" / "programs")
    if settings.default_program not in programs:
        known = ", ".join(programs)
        raise ProgramConfigurationError(
            f"CRM_DEFAULT_PROGRAM is {settings.default_program!r}, but config/programs/ holds {known}."
        )
    return programs


def templates_of(settings: Settings) -> TemplateLibrary:
    """The emails of ``templates/email/``, compiled."""
    return as_long_as_unchanged(TemplateLibrary.load, settings.home_directory / "templates" / "email")


def sources_of(settings: Settings) -> Mapping[str, Source]:
    """Every source that is configured, by its name."""
    return as_long_as_unchanged(_read_sources, settings.home_directory / "config")


def field_maps_of(settings: Settings) -> Mapping[str, FieldMap]:
    """How each source names its fields and values."""
    return {name: source.field_map for name, source in sources_of(settings).items()}


def written_field_maps_of(settings: Settings) -> Mapping[str, FieldMap]:
    """The same, where an empty file may lie among them, which the shell has made for a proposal."""
    countries = countries_of(settings)
    directory = settings.home_directory / "config" / "sources"
    found = read_sources(directory, countries=countries, without_empty_files=True)
    return {name: source.field_map for name, source in found.items()}


def countries_of(settings: Settings) -> Mapping[str, str]:
    """What countries are called -> their code."""
    return as_long_as_unchanged(read_countries, settings.home_directory / "config" / "countries.yml")


def _read_sources(configuration: Path) -> Mapping[str, Source]:
    return read_sources(configuration / "sources", countries=read_countries(configuration / "countries.yml"))


def identity_rules_of(settings: Settings) -> MatchRules:
    """When two records are one person."""
    return as_long_as_unchanged(read_match_rules, settings.home_directory / "config" / "identity.yml")


def secret_of(settings: Settings) -> bytes:
    """The key of tombstones, and of everything else that is recognised by an HMAC."""
    return settings.secret_key.get_secret_value().encode()


def country_zones_of(settings: Settings) -> Mapping[str, str]:
    """The one or primary zone of each country (R4)."""
    return as_long_as_unchanged(read_country_zones, settings.home_directory / "config" / "country-zones.yml")


def row_rules_of(settings: Settings) -> frozenset[str]:
    """The names of all rules by which rows are rejected.

    Raises:
        SuiteError: a file in expectations/ cannot be used.
    """
    suites = [read_suite(settings.home_directory / "expectations", kind) for kind in RecordKind]
    return frozenset({one.meta.rule for suite in suites for one in suite.expectations} | set(RULES_OF_NO_SUITE))


def validator_of(settings: Settings) -> "Validator":
    """Great Expectations with the suites of ``expectations/``."""
    return validator_for(settings, tuple(sorted(programs_of(settings))))


def validator_for(settings: Settings, known_programs: tuple[str, ...]) -> "Validator":
    """The same for these programs, whatever the configuration knows."""
    read = partial(_validator, known_programs=known_programs)
    return as_long_as_unchanged(read, settings.home_directory / "expectations", known_programs)


def _validator(folder: Path, *, known_programs: tuple[str, ...]) -> "Validator":
    from enrollment_crm.validation.batches import Validator  # noqa: PLC0415 - costs seconds, see decision 5

    return Validator(folder, known_programs=known_programs)
