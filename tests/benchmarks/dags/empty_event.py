"""
# An empty DAG that an asset wakes

The reference of the latency benchmark: the same trigger over the same inbox, and one task that only takes note of
its row. What a signup takes longer than this is ours.
"""

from airflow.sdk import Asset, AssetWatcher, dag, task

from enrollment_crm.orchestration.inbox_trigger import InboxTrigger

KIND = "benchmark"
INBOX = Asset("inbox_benchmark", watchers=[AssetWatcher(name="inbox_benchmark", trigger=InboxTrigger(KIND))])


@dag(schedule=[INBOX], doc_md=__doc__, catchup=False)
def empty_event() -> None:
    """One task."""

    @task
    def note() -> None:
        from sqlalchemy import text

        from enrollment_crm.bootstrap import engine_of
        from enrollment_crm.settings import Settings

        with engine_of(Settings()).begin() as connection:
            connection.execute(text("UPDATE inbox SET outcome = 'accepted' WHERE kind = 'benchmark'"))

    note()


empty_event()
