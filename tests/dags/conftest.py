"""Airflow for tests of DAG files: a home of its own, set before anything imports airflow."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

_HOME = tempfile.mkdtemp(prefix="enrollment-crm-airflow-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
os.environ["AIRFLOW_HOME"] = _HOME
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "False"
os.environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(Path(_HOME) / "plugins")

#: The folder of the DAG files, wherever the tests are started.
DAGS = Path(__file__).resolve().parents[2] / "dags"
os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(DAGS)

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag


@pytest.fixture(scope="session")
def dag_bag() -> "DagBag":
    """Every DAG of the project. The import path differs between minor versions of Airflow 3: only here."""
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=DAGS)


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's own database, for tests that run a whole DAG."""
    from airflow.utils.db import initdb

    initdb()
