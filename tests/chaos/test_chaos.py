"""The chaos run in small: each failpoint once, on a real database and SMTP server, with workers that are killed."""

from collections.abc import Iterator

import pytest
from tests.chaos.__main__ import rows_of
from tests.chaos.office import T_7, ChaosOffice, chaos_office
from tests.chaos.races import race_answers, race_reminders
from tests.chaos.scenarios import FROZEN, Scenario, failpoint, random_kills, scenarios

from enrollment_crm.mail.failpoints import Place

pytestmark = pytest.mark.slow

_SMALL = 0.02


@pytest.fixture(scope="module")
def chaos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChaosOffice]:
    with chaos_office(tmp_path_factory.mktemp("chaos")) as office:
        yield office


def test_a_worker_killed_at_each_failpoint_loses_nothing_and_sends_nothing_twice(chaos: ChaosOffice) -> None:
    scenario = Scenario("killed at each failpoint", True, failpoint(*Place, kills=len(Place)))
    outcome = scenario.play(chaos, scenario, _SMALL)
    assert outcome.report.killed == len(Place)
    assert outcome.unknown >= 3
    assert (outcome.lost, outcome.duplicates, outcome.uncertain) == (0, 0, 0)
    assert all(row.ok for row in rows_of(scenario, outcome))


def test_without_an_accept_log_copies_are_no_more_than_unknown_outcomes(chaos: ChaosOffice) -> None:
    scenario = Scenario("killed when the relay had taken it", False, failpoint(Place.AFTER_250, kills=1))
    outcome = scenario.play(chaos, scenario, _SMALL)
    assert outcome.report.killed == 1
    assert outcome.lost == 0
    assert 1 <= outcome.duplicates <= outcome.unknown
    assert outcome.several_ids == 0


def test_random_kills(chaos: ChaosOffice) -> None:
    scenario = Scenario("killed at random", True, random_kills(T_7, 300))
    outcome = scenario.play(chaos, scenario, _SMALL)
    assert (outcome.lost, outcome.duplicates, outcome.uncertain) == (0, 0, 0)


@pytest.mark.parametrize("play", [race_reminders, race_answers])
def test_no_claim_commits_after_an_unsubscription(chaos: ChaosOffice, play: object) -> None:
    result = play(chaos, 150)  # type: ignore[operator]
    assert result.rounds == 150
    assert 0 < result.claimed < 150
    assert result.claimed_after == 0


def test_every_scenario_has_a_title_of_its_own() -> None:
    titles = [one.title for one in [*scenarios(), FROZEN]]
    assert len(titles) == len(set(titles)) > 20
