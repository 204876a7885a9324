"""The assets that wake DAGs. Their events are hints; the database is the truth."""

from airflow.sdk import Asset, AssetWatcher

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.orchestration.drop_trigger import DropTrigger
from enrollment_crm.orchestration.inbox_trigger import InboxTrigger


def _inbox(*kinds: RecordKind) -> Asset:
    """The asset of the first kind: woken by rows of each kind in the inbox, and by files of each that were dropped.

    Other systems may wake it too, by ``POST /api/v2/assets/events``.
    """
    watchers = [
        watcher
        for kind in kinds
        for watcher in (
            AssetWatcher(name=f"inbox_{kind.value}s", trigger=InboxTrigger(kind.value)),
            AssetWatcher(name=f"dropped_{kind.value}s", trigger=DropTrigger(kind.value)),
        )
    ]
    return Asset(f"inbox_{kinds[0].value}s", watchers=watchers)


#: Signups wait, in the inbox or in a file.
INBOX_SIGNUPS = _inbox(RecordKind.SIGNUP)
#: Applications or items of their checklists wait, in the inbox or in a file.
INBOX_APPLICATIONS = _inbox(RecordKind.APPLICATION, RecordKind.CHECKLIST)
#: People have been routed: a reminder may be due for them.
LEADS = Asset("leads")
