"""One person in several sources: what is certain becomes one, what is probable is asked about, once."""

from typing import Any

import pytest
from sqlalchemy import Connection, text
from tests.factories import ANA, BEN, DAY, SEPTEMBER, T_14, Office, fact_at

from enrollment_crm.domain.identity import DEFAULT_RULES, MatchEffect, MatchField, MatchRule
from enrollment_crm.domain.staff_actions import StaffAction
from enrollment_crm.storage.engine import transaction
from enrollment_crm.storage.matching import matching_pairs
from enrollment_crm.storage.review_decisions import close_review
from enrollment_crm.workflows.feedback import take_bounce
from enrollment_crm.workflows.identity import match_people
from enrollment_crm.workflows.people import CannotMergeError, unmerge

SCHOOL = "ana.silva@school.example.edu"
LATER = SEPTEMBER + DAY
BORN, ELSE = "1999-04-05", "2001-01-01"


def live(office: Office) -> list[str]:
    return office.query("SELECT email FROM person WHERE merged_into_id IS NULL AND erased_at IS NULL ORDER BY id")


def questions(office: Office) -> list[tuple[str, str, str]]:
    return office.query(
        "SELECT p.email, o.email, r.detail FROM review r JOIN person p ON p.id = r.person_id "
        "JOIN person o ON o.id = r.other_person_id WHERE r.closed_at IS NULL ORDER BY r.id"
    )


def report(office: Office, email: str | None = ANA, *, days: int = 1, **columns: str) -> None:
    office.report(email, at=SEPTEMBER + DAY * days, **{"pid": "p-1", "BirthDate": BORN, **columns})


def test_another_address_of_one_whom_a_source_calls_the_same_is_theirs(office: Office) -> None:
    """The form knows her by one address, the application system by another; mail goes to the first."""
    ana = office.sign_up(ANA)
    report(office)
    report(office, SCHOOL, days=2, aid="a-2", YearTerm="spring 2028")
    assert live(office) == [ANA]
    terms = office.query("SELECT entry_term FROM application WHERE person_id = :id ORDER BY 1", id=ana)
    assert terms == ["fall 2027", "spring 2028"]
    trail = office.query("SELECT by, action, reason FROM staff_action")
    assert trail == [("intake", "merged", "the same person reference")]
    office.sweep(T_14)
    assert set(office.relay.recipients()) <= {ANA}


def test_a_row_without_an_address_finds_its_person_by_what_the_source_calls_them(office: Office) -> None:
    ana = office.sign_up(ANA)
    report(office)
    report(office, None, days=2, aid="a-2", YearTerm="spring 2028")
    assert len(office.query("SELECT id FROM application WHERE person_id = :id", id=ana)) == 2


def test_of_two_records_with_one_reference_the_one_of_the_newest_row_is_meant(office: Office) -> None:
    """Until they are one: another day of birth keeps them apart."""
    report(office)
    report(office, BEN, days=3, BirthDate=ELSE, aid="a-2")
    report(office, None, days=2, aid="a-3", YearTerm="spring 2028")
    found = office.query("SELECT entry_term FROM application WHERE person_id = :id ORDER BY 1", id=office.person(BEN))
    assert found == ["fall 2027", "spring 2028"]


def test_the_address_that_is_alive_is_written_to(office: Office) -> None:
    """A hard bounce, and then a new address."""
    report(office)
    take_bounce(office.engine, ANA, "5.1.1", fact=fact_at(SEPTEMBER + DAY))
    report(office, SCHOOL, days=2)
    assert live(office) == [SCHOOL]


def test_records_that_contradict_each_other_are_asked_about(office: Office) -> None:
    report(office)
    report(office, BEN, days=2, BirthDate=ELSE, aid="a-2")
    assert live(office) == [ANA, BEN]
    assert questions(office) == [(ANA, BEN, "the same person reference, but another birth date")]


@pytest.mark.parametrize(
    ("same", "reason"),
    [
        ({"pid": "p-2", "FirstName": "ANA", "LastName": "Silva"}, "the same first name, last name, birth date"),
        (
            {"pid": "p-2", "FirstName": "Ana", "LastName": "SILVA", "BirthDate": "", "Phone0Number": "617.555.0142"},
            "the same first name, last name, phone",
        ),
    ],
)
def test_what_is_probable_is_asked_about_once_and_nothing_is_merged(
    office: Office, same: dict[str, str], reason: str
) -> None:
    office.sign_up(ANA, phone="+1 (617) 555-0142")
    report(office)
    report(office, BEN, days=2, aid="a-2", **same)
    assert live(office) == [ANA, BEN]
    assert questions(office) == [(ANA, BEN, reason)]
    report(office, BEN, days=3, aid="a-2", **same)
    assert len(questions(office)) == 1


def test_another_name_is_no_question(office: Office) -> None:
    """Brothers and sisters share a telephone, strangers a day of birth."""
    office.sign_up(ANA, phone="617 555 0142")
    report(office)
    report(office, BEN, days=2, pid="p-2", FirstName="Bea", LastName="Silva", Phone0Number="617 555 0142", aid="a-2")
    assert questions(office) == []


def test_not_the_same_person_is_remembered(office: Office) -> None:
    report(office)
    report(office, BEN, days=2, BirthDate=ELSE, aid="a-2")
    ids = office.query("SELECT id FROM review WHERE other_person_id IS NOT NULL")
    with transaction(office.engine) as connection:
        close_review(connection, ids[0], by="dean", decision="different", at=LATER)
    report(office, BEN, days=3, BirthDate=ELSE, aid="a-2", AppStatus="Decided")
    assert (questions(office), live(office)) == ([], [ANA, BEN])


def test_what_was_merged_by_a_rule_and_taken_apart_stays_apart(office: Office) -> None:
    report(office)
    report(office, BEN, days=2, aid="a-2")
    assert live(office) == [ANA]
    unmerge(office.engine, BEN, action=StaffAction("dean", "brother and sister", T_14))
    report(office, BEN, days=3, aid="a-2", AppStatus="Decided")
    assert live(office) == [ANA, BEN]


def test_a_thousand_strangers_are_no_question(office: Office) -> None:
    office.change(
        "INSERT INTO person (email, email_key, first_name, last_name, phone, birth_date, zone, arrived_at) "
        "SELECT 'p' || n, 'p' || n, 'Ana' || n, 'Silva', '', '1999-04-05', 'UTC', now() FROM generate_series(1, 1000) n"
    )
    assert match_people(office.engine, DEFAULT_RULES, now=LATER).asked == 0


def test_the_telephone_is_looked_up_by_its_index(office: Office) -> None:
    """Among a million people nobody may be read one by one."""
    office.change(
        "INSERT INTO person (email, email_key, first_name, last_name, phone, zone, arrived_at, needs_routing) "
        "SELECT 'p' || n, 'p' || n, 'Ana', 'Silva', '+1 617 ' || n, 'UTC', now(), false "
        "FROM generate_series(1000000, 1020000) n"
    )
    office.change("ANALYZE person")
    plan: list[Any] = office.query(
        "EXPLAIN SELECT 1 FROM person a JOIN person b ON b.phone <> '' AND "
        "right(regexp_replace(b.phone, '[^0-9]', '', 'g'), 9) = right(regexp_replace(a.phone, '[^0-9]', '', 'g'), 9) "
        "WHERE a.id = 17"
    )
    assert any("ix_person_phone" in line for line in plan)


@pytest.mark.parametrize(
    ("found_by", "value"), [(MatchField.PHONE, "+1 617 555 0100"), (MatchField.BIRTH_DATE, "1999-04-05")]
)
def test_names_are_looked_up_with_what_many_share(office: Office, found_by: MatchField, value: str) -> None:
    """A telephone of a thousand, a birthday of a hundred: nobody of another name is read."""
    office.change(
        f"INSERT INTO person (email, email_key, first_name, last_name, {found_by}, zone, arrived_at) "
        "SELECT 'p' || n, 'p' || n, 'Ana' || n / 2, 'Silva', "
        f"'{value}', 'UTC', now() FROM generate_series(2, 2001) n"
    )
    rule = MatchRule("namesakes", (MatchField.FIRST_NAME, MatchField.LAST_NAME, found_by), MatchEffect.REVIEW)
    people = office.query("SELECT id FROM person ORDER BY id LIMIT 100")
    with office.engine.begin() as connection:
        # Tables of tests are small: without this a scan is the cheapest way in any case.
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        before = _rows_read(connection)
        assert len(matching_pairs(connection, rule, people)) == 50
        assert _rows_read(connection) - before < 1000


def _rows_read(connection: Connection) -> int:
    read = (
        "SELECT coalesce(sum(idx_tup_fetch + seq_tup_read), 0) FROM pg_stat_xact_user_tables WHERE relname = 'person'"
    )
    return int(connection.execute(text(read)).scalar_one())


def test_unmerging_what_was_never_merged_is_refused_in_words(office: Office) -> None:
    office.sign_up(ANA)
    with pytest.raises(CannotMergeError, match="nothing to undo"):
        unmerge(office.engine, ANA, action=StaffAction("dean", "", LATER))
