"""Erasure: nothing that names the person is left in any table, and the same address is a new person (R7)."""

from datetime import timedelta

from tests.factories import HOUR, SEPTEMBER, T_7, T_14, Office, fact_at

from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.workflows.consent import unsubscribe
from enrollment_crm.workflows.feedback import take_bounce
from enrollment_crm.workflows.people import merge_people

#: Words that stand nowhere else.
EMAIL = "canary-address@example.edu"
CANARIES = ("canary-address", "Canaryfirst", "Canarylast", "555-0142", "canary-page", "Canaryvalue")
SAID = {
    "first_name": "Canaryfirst",
    "last_name": "Canarylast",
    "phone": "+1 617 555-0142",
    "page": "https://crm.example/canary-page",
}
A_DAY = timedelta(days=1)

_TEXTUAL = (
    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema() "
    "AND data_type IN ('text', 'character varying', 'json', 'jsonb')"
)


def places_of(office: Office, canary: str) -> list[str]:
    """Every column that holds the word, in whatever case."""
    found = []
    if any(canary.lower().encode() in content.lower() for content in office.frozen()):
        found.append("message.content")
    for table, column in office.query(_TEXTUAL):
        question = f'SELECT count(*) FROM "{table}" WHERE "{column}"::text ILIKE :word'
        number = office.query(question, word=f"%{canary}%")
        if number != [0]:
            found.append(f"{table}.{column}")
    return found


def lived_through(office: Office) -> int:
    """Somebody of whom as much is known as there can be; their id."""
    person = office.sign_up(EMAIL, at=SEPTEMBER, **SAID)
    office.report(EMAIL, at=SEPTEMBER + HOUR, AppStatus="Awaiting Submission", CitizenshipStatus="Canaryvalue")
    office.answer(MessageKind.WELCOME, SEPTEMBER + HOUR)
    office.live(SEPTEMBER + HOUR, T_14)
    unsubscribe(office.engine, person, "sessions", now=T_14)
    take_bounce(office.engine, EMAIL, "4.2.2", fact=fact_at(T_14))
    return person


def erase(office: Office, *, fact: str = "") -> None:
    office.erase(EMAIL, at=T_14 + A_DAY, fact=fact)


def test_nothing_readable_is_left_in_any_table(office: Office) -> None:
    lived_through(office)
    before = {canary: places_of(office, canary) for canary in CANARIES}
    assert all(before.values())
    assert {"person.email", "inbox.raw", "message.content"} <= set(before["canary-address"])
    erase(office)
    assert {canary: places_of(office, canary) for canary in CANARIES} == {canary: [] for canary in CANARIES}


def test_what_was_counted_stays_counted(office: Office) -> None:
    person = lived_through(office)
    counted = "SELECT (SELECT count(*) FROM message), (SELECT count(*) FROM cover), (SELECT count(*) FROM inbox)"
    before = office.query(counted)
    erase(office)
    assert office.query(counted) == before
    assert office.query("SELECT id, erased_at FROM person") == [(person, T_14 + A_DAY)]


def test_nothing_more_is_written_to_them(office: Office) -> None:
    lived_through(office)
    erase(office)
    office.relay.forget()
    office.live(T_14 + A_DAY, T_7)
    assert office.relay.taken == []
    assert office.withheld()[-1] == "erased"


def test_the_same_address_is_a_new_person_to_whom_nothing_was_sent(office: Office) -> None:
    old = lived_through(office)
    erase(office)
    again = T_14 + A_DAY * 2
    new = office.sign_up(EMAIL, at=again)
    assert new != old
    office.live(again, T_7)
    assert office.sent(email=EMAIL) == ["11-19T15:00Z 2026-12-01 14d caught up", "11-24T15:00Z 2026-12-01 7d"]


def test_an_erasure_that_is_delivered_again_spares_the_new_person(office: Office) -> None:
    office.sign_up(EMAIL)
    erase(office, fact="e-1")
    new = office.sign_up(EMAIL, at=T_14 + A_DAY * 2)
    erase(office, fact="e-1")
    assert office.query("SELECT id FROM person WHERE erased_at IS NULL") == [new]


def test_records_that_were_merged_into_them_are_they_too(office: Office) -> None:
    """Also where one was merged into another before, and the erasure names any of their addresses."""
    lived_through(office)
    for email, into in ((EMAIL, "second@example.edu"), ("second@example.edu", "third@example.edu")):
        office.sign_up(into, at=SEPTEMBER, **SAID)
        merge_people(office.engine, email, into, fact=fact_at(T_14))
    erase(office)
    words = (*CANARIES, "second@example", "third@example")
    assert {canary: places_of(office, canary) for canary in words} == {canary: [] for canary in words}
    office.sign_up(EMAIL, at=T_14 + A_DAY * 2)
    assert office.query("SELECT erased_at, merged_into_id FROM person WHERE email = :email", email=EMAIL) == [
        (None, None)
    ]


def test_a_row_of_an_overlapping_export_does_not_bring_them_back(office: Office) -> None:
    office.sign_up(EMAIL, submission="s-1")
    erase(office)
    office.fill_in(EMAIL, at=SEPTEMBER, submission="s-1")  # the same row once more
    office.load(now=T_14 + A_DAY * 2)
    assert office.query("SELECT count(*) FROM person WHERE erased_at IS NULL") == [0]


def test_whoever_is_unknown_is_erased_by_nothing(office: Office) -> None:
    erase(office)
    assert office.query("SELECT count(*) FROM received_fact") == [0]
