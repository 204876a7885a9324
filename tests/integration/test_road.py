"""The road from a raw row to the right email, without Airflow: real PostgreSQL, real rules, real SMTP."""

from datetime import timedelta
from email.message import EmailMessage

from sqlalchemy import text
from tests.integration.conftest import TEN_IN_BOSTON, Inbox, Pipeline

from enrollment_crm.workflows.inbox import receive_form

ANA = {
    "first_name": "Ana",
    "last_name": "Silva",
    "email": "ana@example.edu",
    "country": "CN",
    "residency": "international_outside_us",
    "entry_term": "fall 2027",
    "consent": "yes",
    "consent_text_version": "2026-01",
    "time_zone": "Asia/Shanghai",
    "submission": "one",
}
SHANGHAI_T_7 = TEN_IN_BOSTON.replace(hour=2)


def _of_kind(inbox: Inbox, topic: str) -> list[EmailMessage]:
    return [one for one in inbox.messages() if one["Feedback-ID"].startswith(topic)]


def test_a_signup_becomes_one_welcome_with_both_clocks(pipeline: Pipeline, inbox: Inbox) -> None:
    receive_form(pipeline.engine, ANA, now=TEN_IN_BOSTON)
    pipeline.take_in(now=TEN_IN_BOSTON)

    (welcome,) = inbox.messages()
    body = welcome.get_body(("plain",))
    assert body is not None
    words = body.get_content()
    assert welcome["To"].addresses[0].addr_spec == "ana@example.edu"
    assert "fall 2027" in words
    assert "Tuesday, December 1, 11:59 p.m. Boston" in words
    assert "Wednesday, December 2, 12:59 p.m. in Shanghai" in words


def test_running_everything_again_sends_nothing_again(pipeline: Pipeline, inbox: Inbox) -> None:
    for _ in range(3):
        receive_form(pipeline.engine, ANA, now=SHANGHAI_T_7)
        pipeline.take_in(now=SHANGHAI_T_7)
        pipeline.sweep(now=SHANGHAI_T_7)

    assert len(inbox.messages()) == 2  # the welcome and T-7


def test_a_point_goes_to_people_who_were_there_and_who_comes_a_second_later_catches_up(
    pipeline: Pipeline, inbox: Inbox
) -> None:
    receive_form(pipeline.engine, ANA, now=SHANGHAI_T_7)
    receive_form(pipeline.engine, ANA | {"email": "late@example.edu"}, now=SHANGHAI_T_7 + timedelta(seconds=1))
    pipeline.take_in(now=SHANGHAI_T_7 + timedelta(minutes=2))

    # Each of the two missed the points of October and of a week ago: these collapse into the newest.
    assert pipeline.sweep(now=SHANGHAI_T_7 + timedelta(minutes=5)) == {"accepted": 2, "withheld": 4}

    reminded = [one["To"].addresses[0].addr_spec for one in _of_kind(inbox, "deadline-reminder")]
    assert sorted(reminded) == ["ana@example.edu", "late@example.edu"]
    with pipeline.engine.connect() as connection:
        caught_up = text(
            "SELECT email, catch_up FROM cover JOIN person ON person.id = person_id "
            "WHERE kind = 'deadline_reminder' AND withheld IS NULL ORDER BY email"
        )
        assert [tuple(row) for row in connection.execute(caught_up)] == [
            ("ana@example.edu", False),
            ("late@example.edu", True),
        ]


def test_nothing_is_due_a_second_before_the_point(pipeline: Pipeline, inbox: Inbox) -> None:
    receive_form(pipeline.engine, ANA, now=SHANGHAI_T_7 - timedelta(days=1))
    pipeline.take_in(now=SHANGHAI_T_7 - timedelta(days=1))

    pipeline.sweep(now=SHANGHAI_T_7 - timedelta(days=1))
    assert pipeline.sweep(now=SHANGHAI_T_7 - timedelta(seconds=1)) == {}
    assert pipeline.sweep(now=SHANGHAI_T_7) == {"accepted": 1}


def test_a_person_of_a_cell_that_was_swept_before_is_still_reminded(pipeline: Pipeline, inbox: Inbox) -> None:
    """Loaded after the sweep, but there before the point: the next sweep looks back."""
    receive_form(pipeline.engine, ANA, now=SHANGHAI_T_7)
    pipeline.take_in(now=SHANGHAI_T_7)
    pipeline.sweep(now=SHANGHAI_T_7)
    receive_form(pipeline.engine, ANA | {"email": "ben@example.edu"}, now=SHANGHAI_T_7)
    pipeline.take_in(now=SHANGHAI_T_7 + timedelta(minutes=4))

    assert pipeline.sweep(now=SHANGHAI_T_7 + timedelta(minutes=5)) == {"accepted": 1, "withheld": 2}
    assert len(_of_kind(inbox, "deadline-reminder")) == 2
