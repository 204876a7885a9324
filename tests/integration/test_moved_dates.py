"""R9 on a real database: a date that moves, what it supersedes, whom it is told, and what follows."""

from datetime import timedelta

from tests.factories import ANA, BEN, HOUR, MINUTE, SEPTEMBER, T_1, T_7, T_14, Office, utc

from enrollment_crm.workflows.consent import unsubscribe

DATE = "2026-12-01"
A_DAY = timedelta(days=1)
NOTICE = "deadline_moved"


def reminded(office: Office, email: str = ANA) -> None:
    """Somebody who was reminded of 1 December on 1 and 17 November."""
    office.sign_up(email)
    office.live(SEPTEMBER, T_14)


def test_a_later_date_is_told_once_and_has_its_own_points(office: Office) -> None:
    reminded(office)
    now = T_14 + A_DAY
    assert office.move_date("2026-12-15", at=now) == 3
    office.live(now, utc("2026-12-14T15:00"))
    assert office.sent(NOTICE) == ["11-18T15:00Z 2026-12-15 v2"]
    # Its T-30 of 15 November was before the move, but T-14 of the old date is newer.
    assert office.sent()[2:] == [
        "12-01T15:00Z 2026-12-15 14d",
        "12-08T15:00Z 2026-12-15 7d",
        "12-14T15:00Z 2026-12-15 1d",
    ]
    assert b"December 15" in office.relay.taken[2].content


def test_an_earlier_date_is_caught_up_with(office: Office) -> None:
    reminded(office)
    now = utc("2026-11-19T15:00")
    office.move_date("2026-11-25", at=now)  # its T-7 was yesterday
    office.live(now, utc("2026-11-24T15:00"))
    assert office.sent()[2:] == ["11-19T15:00Z 2026-11-25 7d caught up", "11-24T15:00Z 2026-11-25 1d"]
    assert len(office.sent(NOTICE)) == 1


def test_who_was_reminded_of_nothing_or_wants_nothing_is_not_told(office: Office) -> None:
    reminded(office)
    unsubscribe(office.engine, office.person(ANA), "*", now=T_14 + HOUR)
    office.sign_up(BEN, at=T_14 + A_DAY)
    office.move_date("2026-12-15", at=T_14 + A_DAY)
    office.sweep(T_14 + A_DAY)
    assert office.sent(NOTICE) == office.sent(NOTICE, BEN) == []
    # The notice is for those from whom nothing is withheld: it leaves no row.
    assert office.query("SELECT count(*) FROM cover WHERE kind = :kind", kind=NOTICE) == [0]


def test_a_date_that_stays_as_it_was_changes_nothing(office: Office) -> None:
    reminded(office)
    assert office.move_date(DATE, at=T_14 + A_DAY) == 0
    assert office.sweep(T_14 + A_DAY) == {}
    assert office.query("SELECT max(version) FROM deadline") == [1]


def test_what_waits_for_the_morning_is_superseded_and_its_key_stays_free(office: Office) -> None:
    """A date moves at night and back in the next night: the point of the first date was never sent, and goes out."""
    arrival = utc("2026-11-20T03:00")  # 22:00 in Boston
    office.sign_up(ANA, at=arrival)
    office.sweep(arrival)
    office.move_date("2026-12-22", at=arrival + HOUR)
    office.live(arrival + HOUR, arrival + A_DAY)
    assert office.reasons() == [
        f"11-20T03:00Z {DATE} 30d collapsed",
        f"11-20T04:00Z {DATE} 14d superseded",
    ]
    assert office.sent() == []
    office.move_date(DATE, at=arrival + A_DAY)
    office.live(arrival + A_DAY, T_7 - MINUTE)
    assert office.sent()[-1] == f"11-21T15:00Z {DATE} 14d caught up"


def test_a_key_that_was_sent_is_never_sent_again_when_its_date_comes_back(office: Office) -> None:
    reminded(office)
    office.move_date("2026-12-15", at=T_14 + A_DAY)
    office.sweep(T_14 + A_DAY)
    office.move_date(DATE, at=T_14 + A_DAY * 2)
    office.live(T_14 + A_DAY * 2, T_1)
    assert [one for one in office.sent() if DATE in one] == [
        f"11-01T15:00Z {DATE} 30d",
        f"11-17T15:00Z {DATE} 14d",
        f"11-24T15:00Z {DATE} 7d",
        f"11-30T15:00Z {DATE} 1d",
    ]
    # Of 15 December nobody had been reminded: that it is the 1st again is no news.
    assert office.sent(NOTICE) == ["11-18T15:00Z 2026-12-15 v2"]


def test_only_the_group_whose_date_moved_is_told(office: Office) -> None:
    reminded(office)
    office.sign_up(BEN, residency="international_outside_us", country="IN")
    office.live(T_14, T_14)
    office.move_date("2026-12-15", at=T_14 + A_DAY, of="international_outside_us")
    office.sweep(T_14 + A_DAY)
    assert office.sent(NOTICE) == []


def test_dates_keep_their_history_with_who_approved_them_and_why(office: Office) -> None:
    office.move_date("2026-12-15", at=T_7, of="domestic")
    rows = office.query(
        "SELECT version, stated_date::text, approved_by, reason, replaced_at FROM deadline "
        "WHERE entry_term = 'fall 2027' AND round = 'early_action' AND residency = 'domestic' ORDER BY version"
    )
    assert [row[:4] for row in rows] == [
        (1, DATE, "configuration", ""),
        (2, "2026-12-15", "dean", "a holiday"),
    ]
    assert [row[4] for row in rows] == [T_7, None]
