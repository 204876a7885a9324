"""The outbox: everything that sending needs, in one place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Engine

from enrollment_crm.domain.campaigns import NO_BOUNCE_LIMIT, BounceLimit
from enrollment_crm.domain.freshness import FeedWatch
from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.domain.programs import Cadences, Program
from enrollment_crm.mail.failpoints import OFF, Failpoint
from enrollment_crm.mail.messages import Sender
from enrollment_crm.mail.templates import TemplateLibrary
from enrollment_crm.mail.transport import Transport
from enrollment_crm.workflows.composition import Letterhead


@dataclass(frozen=True)
class Outbox:
    """Everything that sending needs; bootstrap builds it, one for each process and thread."""

    engine: Engine
    programs: Mapping[str, Program]
    default_program: str
    templates: TemplateLibrary
    transport: Transport
    sender: Sender
    letterhead: Letterhead
    secret: bytes
    #: Address under which applicants reach the public app.
    public_url: str
    lease: timedelta
    #: From the last look at the lease to the relay's last word: so much of the lease must be left then.
    longest_dialogue: timedelta
    #: The feeds that must be fresh before anybody is told that they have not submitted.
    freshness: FeedWatch
    #: What a sweep finds up to so long after its instant is on time; later it was missed (R6). Also how long a person
    #: may be on the road through intake and still get the points that were theirs.
    punctuality: timedelta = timedelta(hours=1)
    #: A cell of more people is divided among workers.
    people_a_part: int = 5_000
    #: By recipient domain, in lower case: more are left for later.
    messages_a_minute: Mapping[str, int] = field(default_factory=dict)
    #: How long what is taken up again waits for the next turn of such a domain.
    patience: timedelta = timedelta(minutes=4)
    bounce_limit: BounceLimit = NO_BOUNCE_LIMIT
    failpoint: Failpoint = OFF

    @property
    def cadences(self) -> Cadences:
        """When reminders of each program go out."""
        return Cadences(self.programs, self.default_program)

    def topic_of(self, kind: MessageKind) -> str:
        """The topic that a reader may have withdrawn from."""
        return self.templates.template(kind.template_name).manifest.topic

    @property
    def topics(self) -> Mapping[MessageKind, str]:
        """The topic of every kind."""
        return {kind: self.topic_of(kind) for kind in MessageKind}
