"""What `person export` writes: one JSON file and the exact messages, in a folder or a zip; nobody else can read them.

.. pii: all of it.
"""

import json
import os
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO

import typer

from enrollment_crm.workflows.dossiers import Export

_MINE_ALONE, _MY_FOLDER = 0o600, 0o700


def check_is_free(out: Path) -> None:
    """Nothing is overwritten. Raises ``typer.BadParameter`` where something is there, or the folder above is not."""
    if out.exists():
        raise typer.BadParameter(f"{out} is there already: name a new folder, or a new file that ends in .zip.")
    if not out.absolute().parent.is_dir():
        raise typer.BadParameter(f"{out.absolute().parent} is no folder.")


def write_export(held: Export, out: Path) -> None:
    """Write everything to a new zip, where the name ends so, else to a new folder."""
    if out.suffix.lower() == ".zip":
        with _new_file(out) as whole, zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in _files_of(held):
                archive.writestr(name, content)
        return
    out.mkdir(mode=_MY_FOLDER)
    (out / "messages").mkdir(mode=_MY_FOLDER)
    for name, content in _files_of(held):
        with _new_file(out / name) as file:
            file.write(content)


def _new_file(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MINE_ALONE), "wb")


def _files_of(held: Export) -> Iterator[tuple[str, bytes]]:
    named_in = [vars(one) for one in held.named_in]
    said = {"person": held.person_id, "exported_at": held.at, "held": held.tables, "named_in": named_in}
    text = json.dumps(said, ensure_ascii=False, indent=2, default=_plain)
    # Half a surrogate pair of a broken feed is no UTF-8; nothing of it is lost.
    yield "person.json", text.encode("utf-8", "backslashreplace")
    for one in held.messages:
        yield f"messages/{one.id}-{one.kind}.eml", one.content


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
