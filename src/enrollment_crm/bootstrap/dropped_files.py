"""The files that wait in the drop folder of the settings."""

from pathlib import Path

from enrollment_crm.bootstrap.configuration import field_maps_of
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.settings import Settings
from enrollment_crm.sources.drop_folder import Version, pending_files, version_of


def dropped_files_of(settings: Settings, kind: RecordKind) -> frozenset[tuple[Path, Version]]:
    """Every finished file of the sources of this kind, with what changes when somebody writes to it.

    Raises:
        FieldMapError: a file in config/sources/ cannot be.
        OSError: a folder cannot be read.
    """
    return frozenset(
        (file, version_of(file))
        for source, field_map in field_maps_of(settings).items()
        if field_map.kind is kind
        for file in pending_files(settings.drop_directory, source)
    )
