"""The files of ``config/sources/*.yml``, checked with errors in words: file, key, what to do."""

from collections.abc import Hashable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.field_maps import FieldMap, RawFields
from enrollment_crm.domain.freshness import DEFAULT_BUDGET
from enrollment_crm.domain.sources import Source
from enrollment_crm.sources.source_files import TransportFile

#: A year: a feed that may be older than that is not watched.
_LONGEST_BUDGET_IN_HOURS = 8_784


class FieldMapError(ValueError):
    """A file in config/sources/ says something that cannot be. Correct the file; nothing was read with it."""


class _Joined(BaseModel):
    model_config = ConfigDict(extra="forbid")

    joined: list[str]


class _SourceFile(TransportFile):
    kind: RecordKind
    time_zone: str
    fields: dict[str, str | list[str] | _Joined]
    value_maps: dict[str, dict[str, str]] = Field({})
    terms: dict[str, str] = Field({})
    date_formats: list[str] = Field([])
    defaults: dict[str, str] = Field({})
    blanks: list[str] = Field([])
    freshness_budget_in_hours: float | None = Field(None, gt=0, le=_LONGEST_BUDGET_IN_HOURS)
    freshness: Literal["not_watched"] | None = None


class _TextLoader(yaml.BaseLoader):
    """Every scalar is text, so that ``NO`` is Norway and ``202710`` a code; no key may stand there twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise FieldMapError(f"line {key.start_mark.line + 1}: {key.value!r} stands there twice: keep one.")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_field_maps(directory: Path, *, countries: Mapping[str, str]) -> dict[str, FieldMap]:
    """The field map of each source by its name (the file name); see ``read_sources``."""
    return {name: source.field_map for name, source in read_sources(directory, countries=countries).items()}


def read_sources(
    directory: Path, *, countries: Mapping[str, str], without_empty_files: bool = False
) -> dict[str, Source]:
    """Each source by its name (the file name).

    Args:
        directory: ``config/sources``.
        countries: what countries are called, see ``read_countries``.
        without_empty_files: a file without a byte is about to be written.

    Raises:
        FieldMapError: a file is missing, malformed or says what cannot be.
    """
    files = [one for one in sorted(directory.glob("*.yml")) if one.stat().st_size or not without_empty_files]
    if not files:
        raise FieldMapError(f"{directory} holds no field map: add a file such as form.yml.")
    return {file.stem: _read_source(file, countries) for file in files}


def read_countries(file: Path) -> dict[str, str]:
    """Every name of a country in ``config/countries.yml``, and its code itself -> ISO 3166 alpha-2 code.

    Raises:
        FieldMapError: one name stands for two countries, or the file is malformed.
    """
    countries: dict[str, str] = {}
    for code, names in _read_yaml(file).items():
        for name in (code, *names):
            if countries.setdefault(name, code) != code:
                raise FieldMapError(f"{file.name}: {name!r} is both {countries[name]} and {code}: keep one.")
    return countries


def _read_source(file: Path, countries: Mapping[str, str]) -> Source:
    try:
        entry = _SourceFile.model_validate(_read_yaml(file))
        return entry.source_of(file.stem, _field_map(file.stem, entry, countries))
    except ValidationError as error:
        raise FieldMapError(f"{file.name}: {_in_words(error)}") from None
    except FieldMapError:
        raise
    except ValueError as error:
        raise FieldMapError(f"{file.name}: {error}") from error


def _field_map(name: str, entry: _SourceFile, countries: Mapping[str, str]) -> FieldMap:
    return FieldMap(
        source=name,
        kind=entry.kind,
        fields={name: _raw_fields(raw) for name, raw in entry.fields.items()},
        time_zone=entry.time_zone,
        value_maps=_with_countries(entry, countries),
        terms=entry.terms,
        date_formats=tuple(entry.date_formats),
        defaults=entry.defaults,
        blanks=tuple(entry.blanks),
        freshness_budget=_freshness_budget(entry),
        webhook_secrets=entry.webhook_secrets(),
    )


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        content = yaml.load(file.read_text("utf-8"), Loader=_TextLoader)  # noqa: S506 - a BaseLoader makes text only
    except FileNotFoundError:
        raise FieldMapError(f"{file} is missing: restore it.") from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise FieldMapError(f"{file.name} is no YAML: {error}") from error
    except FieldMapError as error:
        raise FieldMapError(f"{file.name}: {error}") from None
    if not isinstance(content, dict):
        raise FieldMapError(f"{file.name} holds no keys: see form.yml for what belongs into it.")
    return content


def _raw_fields(raw: str | list[str] | _Joined) -> RawFields:
    if isinstance(raw, _Joined):
        return RawFields(tuple(raw.joined), joined=True)
    return RawFields((raw,) if isinstance(raw, str) else tuple(raw))


def _freshness_budget(entry: _SourceFile) -> timedelta | None:
    hours = entry.freshness_budget_in_hours
    if entry.kind is not RecordKind.APPLICATION:
        if hours or entry.freshness:
            raise ValueError("freshness is watched of applications only: take it out of a file of signups.")
        return None
    if entry.freshness and hours:
        raise ValueError("freshness: not_watched and a freshness_budget_in_hours exclude each other: keep one.")
    if entry.freshness:
        return None
    return timedelta(hours=hours) if hours else DEFAULT_BUDGET


def _with_countries(entry: _SourceFile, countries: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    """The value maps; a country is also known by every name in ``config/countries.yml``."""
    maps: dict[str, Mapping[str, str]] = dict(entry.value_maps)
    for name in {"country", "address_country"} & set(entry.fields):
        maps[name] = {**countries, **entry.value_maps.get(name, {})}
    return maps


def _in_words(error: ValidationError) -> str:
    return "; ".join(
        ": ".join(filter(None, (".".join(map(str, one["loc"])), one["msg"].removeprefix("Value error, "))))
        for one in error.errors(include_input=False)
    )
