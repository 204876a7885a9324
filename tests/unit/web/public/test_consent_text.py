"""The consent texts are evidence: once shown, never edited."""

from enrollment_crm.web.public.consent_text import CONSENT_TEXTS, CURRENT_VERSION


def test_texts_that_were_shown_stay_as_they_were() -> None:
    assert CONSENT_TEXTS["request-info-1"] == (
        "Yes, email me about this program: application deadlines, what my application still needs, and prep "
        "sessions. I can stop these emails at any time with one click."
    )


def test_the_page_shows_the_newest() -> None:
    assert list(CONSENT_TEXTS)[-1] == CURRENT_VERSION
