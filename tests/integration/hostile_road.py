"""The whole road for hostile input: a dropped file or a post, judged, loaded, routed, answered, on a real database.

Afterwards nothing has crashed, every row is accounted for by count, and every reason can be read by a person.
"""

import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from sqlalchemy import text
from tests.factories import SEPTEMBER
from tests.integration.conftest import Pipeline

from enrollment_crm.bootstrap import field_maps_of
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.sources import Layout
from enrollment_crm.mail.messages import OutgoingMessage
from enrollment_crm.mail.recording import RecordingTransport
from enrollment_crm.settings import Settings
from enrollment_crm.sources.feeds import drop_feed
from enrollment_crm.workflows.inbox import collect, receive_form

SIGNUP = {
    "first_name": "Ana",
    "last_name": "Silva",
    "email": "ana@example.edu",
    "residency": "domestic",
    "entry_term": "fall 2027",
    "consent": "yes",
    "consent_text_version": "2026-01",
}
#: What a reason says for a field, where that is not its name.
_WORDS = {
    "": ("row", "source", "batch"),
    "damage": ("row",),
    "consent": ("agree",),
    "website": ("the field that people do not see",),
    "occurred_at": ("time",),
    "submission": ("submission id",),
    "application_id": ("application",),
    "email": ("email address",),
}
#: What a person must never have to read: traces, classes, patterns, Python's own words for nothing.
_MACHINE_WORDS = re.compile(
    r"Traceback|\b\w+(?:Error|Exception)\b|\b(?:None|NaN|null|dict|str)\b|\\[A-Za-z]|\(\?|\[\^|<class|\b[a-z]+\.[a-z_]+\("
)
_LONGEST_REASON_IN_CHARACTERS = 700
_SHORTEST_TELLING_VALUE = 5


class KeepingTransport(RecordingTransport):
    """Takes every message and keeps it."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[OutgoingMessage] = []

    def send(self, message: OutgoingMessage, *, before_data: Any) -> str:
        self.messages.append(message)
        return super().send(message, before_data=before_data)


@dataclass
class HostileRoad:
    """The pipeline with a folder to drop files into, and a transport that keeps what would go out."""

    pipeline: Pipeline
    folder: Path
    kept: KeepingTransport = field(default_factory=KeepingTransport)

    def __post_init__(self) -> None:
        self.pipeline = replace(self.pipeline, outbox=replace(self.pipeline.outbox, transport=self.kept))

    def drop(
        self,
        content: bytes,
        *,
        name: str = "fair.csv",
        source: str = "signups_csv",
        encoding: str = "",
        at: datetime = SEPTEMBER,
    ) -> int:
        """Drop a file, long enough ago to count as whole, and take it in. Gives how many rows were read."""
        file = self.folder / source / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
        os.utime(file, (time.time() - 60,) * 2)
        kind = RecordKind.APPLICATION if source in {"slate", "webadmit"} else RecordKind.SIGNUP
        layout = Layout(encoding=encoding, columns=field_maps_of(Settings())[source].columns)
        feed = drop_feed(source, kind, drop_directory=self.folder, layout=layout)
        collected = collect(self.pipeline.engine, [feed], now=at)
        assert not file.exists()
        self.take_in()
        return collected.new + collected.known

    def post(self, **fields: str) -> None:
        """Post the form."""
        receive_form(self.pipeline.engine, SIGNUP | fields, now=SEPTEMBER)

    def take_in(self) -> None:
        self.pipeline.take_in(now=SEPTEMBER)

    def query(self, sql: str) -> list[Any]:
        with self.pipeline.engine.connect() as connection:
            rows = [tuple(row) for row in connection.execute(text(sql))]
        return [row[0] for row in rows] if rows and len(rows[0]) == 1 else rows

    def rules(self) -> list[str]:
        """The rule that each rejected row has failed, in order."""
        return self.query("SELECT rule FROM quarantine ORDER BY inbox_id")

    def addresses(self) -> list[str]:
        return self.query("SELECT email FROM person ORDER BY id")

    def mails(self) -> list[EmailMessage]:
        """What would have gone out, as a mail program reads it."""
        parser = BytesParser(policy=policy.default)
        return [parser.parsebytes(one.content) for one in self.kept.messages]

    def check(self, *values: str) -> None:
        """Nothing is lost by count, everybody who was accepted has an answer, and every reason can be understood."""
        self._check_counts()
        states = self.query("SELECT state FROM message")
        assert set(states) <= {"accepted", "failed"}, states
        assert len(states) == len(self.query("SELECT id FROM person"))
        raw = self.query("SELECT i.raw FROM quarantine q JOIN inbox i ON i.id = q.inbox_id ORDER BY q.inbox_id")
        reasons = self.query('SELECT "column", reason FROM quarantine ORDER BY inbox_id')
        for (column, reason), row in zip(reasons, raw, strict=True):
            check_reason(reason, column=column, values=[*values, *_texts(row)])
        for one in self.mails():
            check_mail(one)

    def _check_counts(self) -> None:
        (delivered,) = self.query("SELECT coalesce(sum(rows_read), 0)::int FROM delivery")
        (known,) = self.query("SELECT coalesce(sum(known), 0)::int FROM delivery")
        ((rows_in, accepted, quarantined, duplicates),) = self.query(
            "SELECT coalesce(sum(rows_in), 0)::int, coalesce(sum(accepted), 0)::int, "
            "coalesce(sum(quarantined), 0)::int, coalesce(sum(duplicates), 0)::int FROM batch"
        )
        outcomes = dict(self.query("SELECT outcome, count(*)::int FROM inbox GROUP BY outcome"))
        assert delivered == accepted + quarantined + known
        assert rows_in == accepted + quarantined
        assert duplicates == known
        assert outcomes == {name: n for name, n in {"accepted": accepted, "quarantined": quarantined}.items() if n}
        assert len(self.rules()) == quarantined


def _texts(row: Mapping[str, Any]) -> Iterable[str]:
    """Values that would be recognised in a sentence."""
    return [value for value in row.values() if isinstance(value, str) and len(value) >= _SHORTEST_TELLING_VALUE]


def check_reason(reason: str, *, column: str, values: Iterable[str] = ()) -> None:
    """A sentence that a person understands: it names the field, says what to do, and repeats no value."""
    assert reason[0].isupper()
    assert reason.endswith(".")
    assert len(reason) < _LONGEST_REASON_IN_CHARACTERS
    assert reason.isprintable()
    assert not _MACHINE_WORDS.search(reason), reason
    named = _WORDS.get(column, (column.replace("_", " "),))
    assert any(word in reason.lower() for word in named), f"{reason!r} does not name {column!r}"
    for value in values:
        assert len(value) < _SHORTEST_TELLING_VALUE or value not in reason, "a reason repeats no value"


def check_mail(mail: EmailMessage) -> None:
    """One reader, no header of somebody else's making, and nothing that was computed out of a name."""
    assert len(mail.get_all("To", [])) == len(mail.get_all("Subject", [])) == 1
    assert not {"bcc", "cc", "x-injected"} & {name.lower() for name in mail.keys()}  # noqa: SIM118
    assert len(mail["To"].addresses) == 1
    for part in mail.walk():
        if part.get_content_type() in {"text/plain", "text/html"}:
            words = part.get_content()
            assert "7777777" not in words
            assert part.get_content_subtype() == "plain" or not re.search("<script|<img src=x|<evil", words.lower())
