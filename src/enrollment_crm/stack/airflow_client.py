"""Airflow's REST API, as far as the demonstration and the benchmarks need it."""

from dataclasses import dataclass, field

import requests

from enrollment_crm.stack.stack import Facts

_TIMEOUT_IN_SECONDS = 20


@dataclass
class AirflowClient:
    """A person with the stack's login, at the other end of HTTP. Raises ``requests.RequestException``."""

    facts: Facts
    _session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self._session.trust_env = False  # loopback: no proxy has a say

    def trigger(self, dag_id: str) -> str:
        """Trigger a run, as the button does; gives its run id."""
        answer = self._ask("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None})
        run_id: str = answer["dag_run_id"]
        return run_id

    def runs(self, dag_id: str, *, state: str | None = None) -> list[dict[str, object]]:
        """The newest runs of a DAG (of all DAGs: ``~``), the newest first."""
        query = f"?limit=100&order_by=-id{f'&state={state}' if state else ''}"
        runs: list[dict[str, object]] = self._ask("GET", f"/dags/{dag_id}/dagRuns{query}")["dag_runs"]
        return runs

    def tell_asset(self, name: str) -> None:
        """Tell that an asset has changed, as an outside system does: whatever it wakes is woken."""
        (asset,) = [one for one in self._ask("GET", f"/assets?name_pattern={name}")["assets"] if one["name"] == name]
        self._ask("POST", "/assets/events", {"asset_id": asset["id"], "extra": {}})

    def pause(self, dag_id: str, *, paused: bool = True) -> None:
        """Pause a DAG, or let it go on."""
        self._ask("PATCH", f"/dags/{dag_id}", {"is_paused": paused})

    def dags(self) -> list[str]:
        """The DAGs that Airflow knows by now."""
        return [one["dag_id"] for one in self._ask("GET", "/dags?limit=100")["dags"]]

    def _ask(self, method: str, path: str, body: object = None) -> dict:  # type: ignore[type-arg]
        if "Authorization" not in self._session.headers:
            self._sign_in()
        url = f"{self.facts.airflow_url}/api/v2{path}"
        answer = self._session.request(method, url, json=body, timeout=_TIMEOUT_IN_SECONDS)
        answer.raise_for_status()
        content: dict = answer.json()  # type: ignore[type-arg]
        return content

    def _sign_in(self) -> None:
        login = {"username": self.facts.airflow_user, "password": self.facts.airflow_password}
        answer = self._session.post(f"{self.facts.airflow_url}/auth/token", json=login, timeout=_TIMEOUT_IN_SECONDS)
        answer.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
