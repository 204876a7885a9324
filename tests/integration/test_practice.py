"""Practice takes a made-up signup the whole way: afterwards statements are known, and nothing else has changed."""

import pytest
from sqlalchemy import Engine
from tests.factories import ANA
from tests.integration.conftest import TEN_IN_BOSTON, Inbox, Pipeline
from tests.integration.test_dry_run import everything_in

from enrollment_crm.bootstrap import country_zones_of, field_maps_of
from enrollment_crm.settings import Settings
from enrollment_crm.storage.engine import rolled_back, transaction
from enrollment_crm.workflows.inbox import receive_form
from enrollment_crm.workflows.practice import practise_one_signup

FORM = {"first_name": "Ana", "email": ANA, "country": "US", "residency": "domestic", "entry_term": "fall 2027"}
FORM |= {"consent": "yes", "consent_text_version": "request-info-1"}


def practise(pipeline: Pipeline) -> bool:
    return practise_one_signup(
        pipeline.outbox,
        pipeline.validator,
        field_maps_of(Settings()),
        country_zones=country_zones_of(Settings()),
        now=TEN_IN_BOSTON,
    )


def known_statements(engine: Engine) -> int:
    return len(engine._compiled_cache or ())


def test_nothing_is_kept_and_nothing_leaves(pipeline: Pipeline, inbox: Inbox) -> None:
    before = everything_in(pipeline.engine)

    assert practise(pipeline)

    assert everything_in(pipeline.engine) == before
    assert inbox.messages() == []


def test_a_real_signup_compiles_next_to_nothing_afterwards(pipeline: Pipeline, inbox: Inbox) -> None:
    pipeline.engine.clear_compiled_cache()
    practise(pipeline)
    practised = known_statements(pipeline.engine)

    receive_form(pipeline.engine, FORM, now=TEN_IN_BOSTON)
    pipeline.take_in(now=TEN_IN_BOSTON)

    assert len(inbox.messages()) == 1
    assert practised > 20
    # What is left is of applications and checklists, which `take_in` looks for too.
    assert known_statements(pipeline.engine) - practised <= 6


def test_it_stands_back_when_work_waits(pipeline: Pipeline) -> None:
    receive_form(pipeline.engine, FORM, now=TEN_IN_BOSTON)
    before = everything_in(pipeline.engine)

    assert not practise(pipeline)

    assert everything_in(pipeline.engine) == before


def test_a_failure_keeps_nothing_either(pipeline: Pipeline) -> None:
    before = everything_in(pipeline.engine)

    def half_way() -> None:
        with rolled_back(pipeline.engine) as engine:
            receive_form(engine, FORM, now=TEN_IN_BOSTON)
            with transaction(engine) as connection:
                assert connection.exec_driver_sql("SELECT count(*) FROM inbox").scalar() == 1
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        half_way()

    assert everything_in(pipeline.engine) == before
