"""Airflow's connections, for the credentials of sources: of its database, its secrets backend, or the environment."""

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from enrollment_crm.domain.sources import ConnectionDetails
from enrollment_crm.sources.connections import details_of


def airflow_connection(connection_id: str) -> ConnectionDetails | None:
    """What Airflow holds under this id; None: nothing. Only within a task: Airflow answers nobody else."""
    try:
        found = Connection.get(connection_id)
    except AirflowNotFoundException:
        return None
    return details_of(
        host=found.host,
        schema=found.schema,
        port=found.port,
        user=found.login,
        password=found.password,
        extra=found.extra_dejson,
    )
