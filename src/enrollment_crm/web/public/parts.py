"""What the public site is built from. The pages know these callables and nothing behind them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrollment_crm.domain.preferences import Preferences
from enrollment_crm.domain.webhooks import WebhookSource
from enrollment_crm.mail.personal_links import PersonalLink
from enrollment_crm.storage.inbox import Kept
from enrollment_crm.web.public.form_limits import FormLimits
from enrollment_crm.workflows.request_info import RequestInfoOptions


@dataclass(frozen=True, kw_only=True)
class PublicParts:
    """The site's words about itself and the workflows that its pages call; none is a coroutine."""

    #: The program that the page is about when its link names none: a file name in config/programs/.
    default_program: str
    #: All programs that a link may name.
    programs: Collection[str]
    #: Who writes to the applicant, as the From line of the emails says it.
    sender_name: str
    sender_address: str
    postal_address: str
    #: Address under which applicants reach this site, without a slash at the end.
    public_url: str
    #: The present instant, with a zone.
    clock: Callable[[], datetime]
    #: Seconds since 1970 by the real clock, also where the pipeline's clock is stopped: for what must not be old.
    stopwatch: Callable[[], float]
    #: What the page of a program offers to choose from at an instant.
    request_info_options: Callable[[str, datetime], RequestInfoOptions]
    #: How often the form is taken.
    form_limits: FormLimits
    #: Commits the raw row of a form to the inbox and returns its id.
    receive_form: Callable[[Mapping[str, str], datetime], int]
    #: The person and the topic that an unsubscribe token names; raises UnsubscribeTokenInvalid.
    read_unsubscribe_token: Callable[[str], tuple[int, str]]
    #: Withdraws a person's consent to a topic; a second time changes nothing.
    unsubscribe: Callable[[int, str, datetime], None]
    #: The person whose own link a token is; raises PersonalLinkInvalid.
    read_personal_token: Callable[[PersonalLink, str], int]
    #: What a person has chosen to be written to about; None: nobody is there any more.
    preferences: Callable[[int, datetime], Preferences | None]
    #: Keeps a choice; False: nobody is there any more. Raises PauseInvalid.
    save_preferences: Callable[[int, Preferences, datetime], bool]
    #: The calendar of a person (RFC 5545); None: nobody is there any more.
    calendar_feed: Callable[[int, datetime], str | None]
    #: The sources that may post to us, by name.
    webhooks: Mapping[str, WebhookSource]
    #: Commits the rows of an event (its id) of a source; None: it was taken in before.
    receive_webhook: Callable[[WebhookSource, str, Sequence[Mapping[str, Any]], datetime], Kept | None]
    #: Why the database cannot be used, in words for ops; None when it is reachable and migrated.
    database_problem: Callable[[], str | None]
