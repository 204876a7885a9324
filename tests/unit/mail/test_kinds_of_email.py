"""Every kind of message has its email, and the reader's way out is the right one."""

from pathlib import Path

import pytest

from enrollment_crm.domain.messages import MessageKind
from enrollment_crm.mail.templates import TemplateLibrary

LIBRARY = TemplateLibrary.load(Path(__file__).parents[3] / "templates" / "email")
#: The topic of marketing mail; what is transactional has no way out.
MARKETING = {
    MessageKind.WELCOME: "news",
    MessageKind.DEADLINE_REMINDER: "deadlines",
    MessageKind.DEADLINE_MOVED: "deadlines",
    MessageKind.SESSION_INVITATION: "sessions",
}


def test_every_kind_has_a_folder_and_every_folder_a_kind() -> None:
    assert set(LIBRARY.names) == {kind.template_name for kind in MessageKind}


@pytest.mark.parametrize("kind", MessageKind)
def test_what_is_marketing_and_what_one_withdraws_from(kind: MessageKind) -> None:
    manifest = LIBRARY.template(kind.template_name).manifest
    assert manifest.purpose == ("marketing" if kind in MARKETING else "transactional")
    assert manifest.topic == MARKETING.get(kind, manifest.topic)
