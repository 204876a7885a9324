"""Campaigns: what stops all sending at once, as opposed to one message."""


class CampaignStoppedError(Exception):
    """The relay refuses us, not a recipient (5.7.x): nothing more is sent until the cause is mended.

    Look at the message's outcome in the ledger: sign-in, sender address, policy or reputation. Then clear the task;
    what was not sent goes out then.
    """


class RelayDownError(Exception):
    """The relay does not answer. Nothing was lost: the messages wait in the ledger and are tried again."""
