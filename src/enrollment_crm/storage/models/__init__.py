"""The tables. Only ``storage`` sees them; everybody else gets domain objects and ids."""

from enrollment_crm.storage.models.base import Base
from enrollment_crm.storage.models.calendar import DeadlineRow, OutageRow, PrepSessionRow, RegistrationRow, SweepRow
from enrollment_crm.storage.models.checklists import ApplicationReferenceRow, ChecklistItemRow
from enrollment_crm.storage.models.feedback import BounceRow, ReceivedFactRow
from enrollment_crm.storage.models.intake import BatchRow, InboxRow, QuarantineRow, RuleCountRow
from enrollment_crm.storage.models.ledger import MESSAGE_IDS, CoverRow, MessageRow
from enrollment_crm.storage.models.people import (
    ApplicationRow,
    ConsentRow,
    EventRow,
    InterestRow,
    PersonRow,
    ResidencyEvidenceRow,
    ReviewRow,
    UnsubscriptionRow,
)

__all__ = [
    "MESSAGE_IDS",
    "ApplicationReferenceRow",
    "ApplicationRow",
    "Base",
    "BatchRow",
    "BounceRow",
    "ChecklistItemRow",
    "ConsentRow",
    "CoverRow",
    "DeadlineRow",
    "EventRow",
    "InboxRow",
    "InterestRow",
    "MessageRow",
    "OutageRow",
    "PersonRow",
    "PrepSessionRow",
    "QuarantineRow",
    "ReceivedFactRow",
    "RegistrationRow",
    "ResidencyEvidenceRow",
    "ReviewRow",
    "RuleCountRow",
    "SweepRow",
    "UnsubscriptionRow",
]
