"""Why a feed gave no rows; the class says whether asking again helps."""


class FeedError(Exception):
    """A feed gave no rows. Nothing of it was read; rows that came before are safe."""

    def __init__(self, sentence: str | None = "") -> None:
        """Names of files stand in sentences, and others choose them: a terminal and a log act on nothing in them."""
        super().__init__("".join(one if one.isprintable() else "?" for one in sentence or ""))


class FeedUnreachableError(FeedError):
    """The feed does not answer, or says that it is busy or broken, or its answer broke off. A retry helps."""


class FeedRefusedError(FeedError):
    """The feed refuses us: address or key are wrong. Correct them; a retry does not help."""


class FeedUnreadableError(FeedError):
    """What the feed gives is not its rows. Have a look at it; a retry rarely helps."""
