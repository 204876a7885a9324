"""What a message costs beyond the SMTP dialogue, beside the standard library building one from ready text."""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

from tests.benchmarks.measurement import Measurement

from enrollment_crm.bootstrap import sender_of, templates_of
from enrollment_crm.mail.messages import Recipient, build_message
from enrollment_crm.mail.preview import render_previews
from enrollment_crm.settings import Settings

_ROUNDS = 15
_MESSAGES_A_ROUND = 100
_GOAL_IN_MILLISECONDS = 0.35


def measure() -> list[Measurement]:
    """Render and build one welcome, and the same text with ``EmailMessage``; medians of rounds taken in turn."""
    settings = Settings()
    folder = settings.home_directory / "templates" / "email"
    person = next(person for person, rendered in render_previews(folder) if rendered.name == "welcome")
    values = person.context(purpose="marketing")
    template, sender, now = (
        templates_of(settings).template("welcome"),
        sender_of(settings),
        datetime(2026, 11, 24, tzinfo=UTC),
    )

    def ours() -> None:
        build_message(
            template.render(values),
            recipient=Recipient("Ana Silva", "ana@example.edu"),
            sender=sender,
            message_id="<0@crm.example>",
            envelope_sender="bounces@crm.example",
            feedback_id="welcome",
            unsubscribe_url="https://crm.example/unsubscribe/0",
            now=now,
        )

    rendered = template.render(values)

    def standard_library() -> None:
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"], message["Subject"] = sender.address, "ana@example.edu", rendered.subject
        message.set_content(rendered.text)
        message.add_alternative(rendered.html, subtype="html")
        message.as_bytes()

    value, reference = _in_turn(ours, standard_library)
    return [
        Measurement(
            "a message rendered and built, beside EmailMessage building alone",
            value,
            "ms",
            reference,
            value / reference,
            f"<= {_GOAL_IN_MILLISECONDS} ms",
            value <= _GOAL_IN_MILLISECONDS,
        )
    ]


def _in_turn(*works: Callable[[], None]) -> list[float]:
    """Milliseconds of CPU that one call of each takes: the median over rounds taken in turn."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(_ROUNDS):
        for work, taken in zip(works, times, strict=True):
            began = time.process_time()
            for _ in range(_MESSAGES_A_ROUND):
                work()
            taken.append((time.process_time() - began) * 1000 / _MESSAGES_A_ROUND)
    return [statistics.median(taken) for taken in times]
