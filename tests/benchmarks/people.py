"""A made-up cohort of any size, written by the database itself: a million people in seconds."""

from datetime import datetime

from sqlalchemy import Connection, text

#: The zones of the cohort: a third of it lives in the largest cell.
ZONES = (
    "America/New_York", "America/New_York", "America/New_York", "America/New_York", "America/New_York",
    "America/New_York", "America/Chicago", "America/Los_Angeles", "Asia/Shanghai", "Asia/Kolkata", "Asia/Seoul",
    "Europe/London", "Europe/Berlin", "Africa/Lagos", "Asia/Kathmandu", "America/Sao_Paulo", "Pacific/Auckland",
)  # fmt: skip

_PEOPLE = """
    INSERT INTO person (email, email_key, first_name, last_name, zone, arrived_at, residency, owner, route_reason,
                        needs_routing, unknown_from)
    SELECT 'p' || n || '@example.edu', 'p' || n || '@example.edu', 'Ana', 'Silva',
           (CAST(:zones AS text[]))[1 + n % cardinality(CAST(:zones AS text[]))], CAST(:since AS timestamptz),
           (ARRAY['domestic', 'international_inside_us', 'international_outside_us', 'unknown'])[1 + n / 7 % 4],
           'desk', 'made up', false, CASE WHEN n / 7 % 4 = 3 THEN CAST(:since AS timestamptz) END
    FROM generate_series(1, :number) AS n
"""
_INTERESTS = """
    INSERT INTO interest (person_id, program, entry_term, since, changed_at, asked_for_information)
    SELECT id, CAST(:program AS text), (ARRAY['fall 2027', 'spring 2027', 'fall 2028'])[1 + id / 3 % 3],
           CAST(:since AS timestamptz), CAST(:since AS timestamptz), true
    FROM person
"""
_SUBMITTED = """
    INSERT INTO application (person_id, program, entry_term, status, occurred_at, received_at, source, reference)
    SELECT id, CAST(:program AS text), (ARRAY['fall 2027', 'spring 2027', 'fall 2028'])[1 + id / 3 % 3], 'submitted',
           CAST(:since AS timestamptz), CAST(:since AS timestamptz), 'slate', 'a' || id
    FROM person WHERE id % 5 = 0
"""
_WELCOMED = """
    INSERT INTO cover (person_id, kind, program, entry_term, due_at, withheld, recorded_at)
    SELECT person_id, 'welcome', program, entry_term, since, 'unsubscribed', since FROM interest
"""


def fill(connection: Connection, number: int, *, program: str, since: datetime) -> None:
    """Write a cohort into an empty database: four residency groups, three terms, a fifth of them has submitted."""
    values = {"number": number, "zones": list(ZONES), "since": since, "program": program}
    for statement in (_PEOPLE, _INTERESTS, _SUBMITTED, _WELCOMED):
        connection.execute(text(statement), {k: v for k, v in values.items() if f":{k}" in statement})
    for table in ("person", "interest", "application", "cover"):
        connection.execute(text(f"ANALYZE {table}"))
