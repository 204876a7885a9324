"""What was read from the configuration, kept as long as its files stay as they are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

Configured = TypeVar("Configured")
FolderState: TypeAlias = tuple[tuple[str, int, int], ...]


#: What was read from the configuration, with the state that its files had then.
_READ: dict[tuple[Path, object], tuple[FolderState, Any]] = {}


def as_long_as_unchanged(read: Callable[[Path], Configured], place: Path, also: object = None) -> Configured:
    """What ``read`` makes of a file or folder, read again only once a file of it has changed.

    A task is forked from a process that has read everything: it finds it here, and an edit all the same.
    """
    state = _state_of(place)
    known = _READ.get((place, also))
    if known is None or known[0] != state:
        known = (state, read(place))
        _READ[place, also] = known
    made: Configured = known[1]
    return made


def _state_of(place: Path) -> FolderState:
    """What tells an edited place from the one that was read: name, size and time of every file."""
    files = sorted(path for path in (place, *place.rglob("*")) if path.is_file())
    return tuple((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files)
