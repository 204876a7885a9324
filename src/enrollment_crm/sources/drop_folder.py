"""The drop folder: other systems leave files there, one sub-folder a source; read ones move to ``done/``.

Look, read, commit what was read, and only then set the file aside: whoever dies in between reads it again,
and the inbox recognises the rows.
"""

import itertools
from pathlib import Path

_DONE = "done"
#: What programs call a file that they are still writing, and what editors and copying leave behind.
_UNFINISHED_ENDINGS = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~")
_HIDDEN_BEGINNINGS = (".", "~$", "_")


def pending_files(drop_directory: Path, source: str) -> list[Path]:
    """The files of a source that nobody has set aside yet, oldest first; an absent folder holds none."""
    folder = drop_directory / source
    if not folder.is_dir():
        return []
    files = [path for path in folder.iterdir() if _is_finished(path)]
    return sorted(files, key=lambda path: (path.stat().st_mtime_ns, path.name))


def set_aside(file: Path) -> Path:
    """Moves a file whose rows are committed to ``done/`` beside it and returns its new place.

    A file that another worker has set aside already is no error. Nothing in ``done/`` is ever overwritten:
    the second file of a name gets a number.
    """
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
        target = folder / (file.name if number == 1 else f"{file.stem}.{number}{file.suffix}")
        try:
            target.open("x").close()
        except FileExistsError:
            continue
        return target
    raise AssertionError("numbers do not end")


def _is_finished(path: Path) -> bool:
    name = path.name.lower()
    return path.is_file() and not name.startswith(_HIDDEN_BEGINNINGS) and not name.endswith(_UNFINISHED_ENDINGS)
