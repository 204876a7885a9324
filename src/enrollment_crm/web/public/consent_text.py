"""The words that a person agrees to. The proof: the version stored with the signup, its text here."""

#: Every text that was ever shown, oldest first. Never edit one: add a version.
CONSENT_TEXTS = {
    "request-info-1": (
        "Yes, email me about this program: application deadlines, what my application still needs, and prep "
        "sessions. I can stop these emails at any time with one click."
    ),
}

#: The version that the page shows now.
CURRENT_VERSION = next(reversed(CONSENT_TEXTS))
