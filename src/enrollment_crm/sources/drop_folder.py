"""The drop folder: other systems leave files there, one sub-folder a source; read ones move to ``done/``.

Look, read, commit what was read, and only then set the file aside: whoever dies in between reads it again,
and the inbox recognises the rows.
"""

import itertools
import time
from pathlib import Path

_DONE = "done"
#: What programs call a file that they are still writing, and what editors and copying leave behind.
_UNFINISHED_ENDINGS = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~")
#: In characters, which have four bytes at most, of the 255 that a name may have.
_LONGEST_STEM = 50
_HIDDEN_BEGINNINGS = (".", "~$", "_")
#: Who writes under the final name pauses for less than this between pieces; half a row may look like a whole one.
_QUIET_SECONDS = 5

#: Size in bytes and time of the last change in nanoseconds; None: the file is gone.
Version = tuple[int, int] | None


def pending_files(drop_directory: Path, source: str) -> list[Path]:
    """The files of a source that nobody has set aside yet, oldest first; an absent folder holds none.

    A file that is still being written waits: one that changed a few seconds ago, by this machine's clock.
    """
    folder = drop_directory / source
    if not folder.is_dir():
        return []
    found = [(version, path) for path in folder.iterdir() if (version := _finished_version(path))]
    return [path for _, path in sorted(found, key=lambda one: (one[0][1], one[1].name))]


def version_of(file: Path) -> Version:
    """What changes when somebody writes to the file."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns


def set_aside(file: Path, *, as_read: Version) -> Path:
    """Moves a file whose rows are committed to ``done/`` beside it and returns where it is now.

    A file that is no longer the version that was read stays, to be read again. One that another worker has set
    aside already is no error. Nothing in ``done/`` is ever overwritten:
    the second file of a name gets a number.
    """
    if version_of(file) not in (as_read, None):
        return file
    done = file.parent / _DONE
    done.mkdir(exist_ok=True)
    target = _reserved(done, file)
    try:
        return file.replace(target)
    except FileNotFoundError:
        target.unlink()
        return done / file.name


def _reserved(folder: Path, file: Path) -> Path:
    """A free name in the folder, taken by an empty file that the move replaces."""
    for number in itertools.count(1):
        # Where a name is as long as names can be, a number does not fit beside all of it.
        target = folder / (file.name if number == 1 else f"{file.stem[:_LONGEST_STEM]}.{number}{file.suffix[:10]}")
        try:
            target.open("x").close()
        except FileExistsError:
            continue
        return target
    raise AssertionError("numbers do not end")


def _finished_version(path: Path) -> Version:
    """The version of a file that nobody writes to any more; None for others, and where another worker took it."""
    name = path.name.lower()
    if name.startswith(_HIDDEN_BEGINNINGS) or name.endswith(_UNFINISHED_ENDINGS) or not path.is_file():
        return None
    version = version_of(path)
    # Either way: a clock that runs ahead must not keep a file waiting for years.
    if version is None or abs(time.time_ns() - version[1]) < _QUIET_SECONDS * 10**9:
        return None
    return version
