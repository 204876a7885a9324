"""The tables. Only ``storage`` sees them; everybody else gets domain objects and ids."""

from enrollment_crm.storage.models.base import Base
from enrollment_crm.storage.models.calendar import (
    CalendarChangeRow,
    CalendarReviewRow,
    DeadlineRow,
    OutageRow,
    PrepSessionRow,
    RegistrationRow,
    SweepRow,
)
from enrollment_crm.storage.models.campaigns import CampaignStopRow, DomainPaceRow
from enrollment_crm.storage.models.checklists import ApplicationReferenceRow, ChecklistItemRow
from enrollment_crm.storage.models.feedback import BounceRow, MessageEventRow, ReceivedFactRow, SuppressionRow
from enrollment_crm.storage.models.identity import PersonMergeRow, PersonReferenceRow, StaffActionRow, TombstoneRow
from enrollment_crm.storage.models.intake import (
    BatchRow,
    DeliveryRow,
    FreshnessGateRow,
    HighWaterMarkRow,
    InboxRow,
    QuarantineRow,
    RuleCountRow,
    SourceDeliveryRow,
    WebhookEventRow,
)
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
from enrollment_crm.storage.models.quarantine import CorrectionRow, QuarantineStepRow, ValueOverrideRow

__all__ = [
    "MESSAGE_IDS",
    "ApplicationReferenceRow",
    "ApplicationRow",
    "Base",
    "BatchRow",
    "BounceRow",
    "CalendarChangeRow",
    "CalendarReviewRow",
    "CampaignStopRow",
    "ChecklistItemRow",
    "ConsentRow",
    "CorrectionRow",
    "CoverRow",
    "DeadlineRow",
    "DeliveryRow",
    "DomainPaceRow",
    "EventRow",
    "FreshnessGateRow",
    "HighWaterMarkRow",
    "InboxRow",
    "InterestRow",
    "MessageEventRow",
    "MessageRow",
    "OutageRow",
    "PersonMergeRow",
    "PersonReferenceRow",
    "PersonRow",
    "PrepSessionRow",
    "QuarantineRow",
    "QuarantineStepRow",
    "ReceivedFactRow",
    "RegistrationRow",
    "ResidencyEvidenceRow",
    "ReviewRow",
    "RuleCountRow",
    "SourceDeliveryRow",
    "StaffActionRow",
    "SuppressionRow",
    "SweepRow",
    "TombstoneRow",
    "UnsubscriptionRow",
    "ValueOverrideRow",
    "WebhookEventRow",
]
