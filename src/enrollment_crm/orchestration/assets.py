"""The assets that wake DAGs. Their events are hints; the database is the truth."""

from airflow.sdk import Asset, AssetWatcher

from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.orchestration.inbox_trigger import InboxTrigger


def _inbox(kind: RecordKind) -> Asset:
    trigger = InboxTrigger(kind.value)
    return Asset(f"inbox_{kind.value}s", watchers=[AssetWatcher(name=f"inbox_{kind.value}s", trigger=trigger)])


#: Signups wait in the inbox.
INBOX_SIGNUPS = _inbox(RecordKind.SIGNUP)
#: Applications wait in the inbox.
INBOX_APPLICATIONS = _inbox(RecordKind.APPLICATION)
#: People have been routed: a reminder may be due for them.
LEADS = Asset("leads")
