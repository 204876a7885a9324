"""What the demonstration feeds: the sample files, by the roads that real ones take."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path

import requests
from requests import Response
from sqlalchemy import Engine

from enrollment_crm.sources.delimited import read_delimited
from enrollment_crm.sources.programs import read_prep_sessions
from enrollment_crm.storage.inbox import digest_of
from enrollment_crm.workflows.deadlines import load_prep_sessions

_TIMEOUT_IN_SECONDS = 30


@dataclass(frozen=True)
class Posted:
    """Form posts that the public app took, and ones that it gave back to their senders to be mended."""

    taken: int
    sent_back: int


@dataclass(frozen=True)
class Samples:
    """The folder ``samples/``."""

    directory: Path

    @property
    def slate_file(self) -> Path:
        """The rows that the demonstration's Slate serves."""
        return self.directory / "slate" / "applications.json"

    @property
    def _dropped(self) -> Mapping[str, Path]:
        """Files that other systems would drop, by source."""
        return {
            "signups_csv": self.directory / "request-info" / "signups.csv",
            "webadmit": self.directory / "webadmit" / "applications.csv",
            "slate_checklist": self.directory / "slate-checklist" / "items.csv",
        }

    def count_rows(self) -> int:
        """How many different rows the feeds and files hold: what must arrive, whatever happens on the way."""
        rows = {("slate", digest_of(row)) for row in json.loads(self.slate_file.read_text("utf-8"))["row"]}
        for source, file in self._dropped.items():
            rows |= {(source, digest_of(row)) for row in read_delimited(file)}
        return len(rows)

    def announce_sessions(self, engine: Engine, *, now: datetime) -> None:
        """Put the sample sessions into the calendar, so that signups can register for them."""
        load_prep_sessions(engine, read_prep_sessions(self.directory / "prep-sessions.yml"), now=now)

    def drop_files(self, drop_directory: Path) -> None:
        """Drop the exports where their sources are looked for; under another name until they are whole."""
        for source, file in self._dropped.items():
            folder = drop_directory / source
            folder.mkdir(parents=True, exist_ok=True)
            unfinished = shutil.copyfile(file, folder / f"{file.name}.part")
            os.utime(unfinished, (0, 0))  # whole already: nobody needs to wait for it to become quiet
            unfinished.rename(folder / file.name)

    def post_forms(self, public_url: str, *, send: Callable[[Callable[[], Response]], Response]) -> "Posted":
        """Send the form posts to the public app, as browsers do; ``send`` sends one, again where nobody answers."""
        taken = sent_back = 0
        with requests.Session() as session:
            session.trust_env = False  # loopback: no proxy has a say
            for post in self._posts():
                answer = send(partial(_post, session, f"{public_url}/request-info", post))
                is_sent_back = answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
                sent_back += is_sent_back
                taken += not is_sent_back
        return Posted(taken, sent_back)

    def _posts(self) -> list[dict[str, str]]:
        posts: list[dict[str, str]] = json.loads((self.directory / "form-posts.json").read_text("utf-8"))
        return posts


def _post(session: requests.Session, url: str, form: Mapping[str, str]) -> Response:
    """The answer, where it is one to the form."""
    answer = session.post(url, data=form, headers={"Accept": "application/json"}, timeout=_TIMEOUT_IN_SECONDS)
    if answer.status_code != HTTPStatus.UNPROCESSABLE_ENTITY:
        answer.raise_for_status()
    return answer
