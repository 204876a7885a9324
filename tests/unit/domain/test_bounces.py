"""R7: which refusals mean that an address does not exist."""

import pytest

from enrollment_crm.domain.bounces import is_hard_bounce


@pytest.mark.parametrize(
    "reply", ["5.1.1", "5.1.10", "5.2.1", "550 5.1.1 <recipient> unknown", "556 5.1.10 null MX", "550-5.2.1 disabled"]
)
def test_a_hard_bounce(reply: str) -> None:
    assert is_hard_bounce(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "5.1.2",
        "5.1.11",
        "5.1.100",
        "5.2.2",  # mailbox full
        "5.7.1",  # ours, not the address's
        "550 no such user",  # no enhanced code says which
        "4.1.1",
        "4.2.2",
        "15.1.1",
        "550 5.7.1 see 5.1.1",  # the first code is the reply's own
        "250 2.1.5 OK",
        "",
    ],
)
def test_no_hard_bounce(reply: str) -> None:
    assert not is_hard_bounce(reply)
