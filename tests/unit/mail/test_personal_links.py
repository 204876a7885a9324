"""Links of one person's own."""

import pytest

from enrollment_crm.mail.personal_links import (
    PersonalLink,
    PersonalLinkInvalid,
    personal_token,
    read_personal_token,
)

SECRET = b"secret"


@pytest.mark.parametrize("link", PersonalLink)
def test_a_token_opens_what_it_was_made_for_and_nothing_else(link: PersonalLink) -> None:
    token = personal_token(link, 42, secret=SECRET)
    assert read_personal_token(link, token.upper(), secret=SECRET) == 42
    (other,) = set(PersonalLink) - {link}
    with pytest.raises(PersonalLinkInvalid):
        read_personal_token(other, token, secret=SECRET)
    with pytest.raises(PersonalLinkInvalid):
        read_personal_token(link, token, secret=b"another")


@pytest.mark.parametrize("damage", ["", "1.42", "1.43", "2.42", "1.042", "1.42.\u0663"])
def test_a_damaged_token_opens_nothing(damage: str) -> None:
    token = personal_token(PersonalLink.CALENDAR, 42, secret=SECRET)
    for broken in {damage, damage + token[4:], token + "0"} - {token}:
        with pytest.raises(PersonalLinkInvalid):
            read_personal_token(PersonalLink.CALENDAR, broken, secret=SECRET)


def test_nobody_has_no_link() -> None:
    with pytest.raises(ValueError, match="No token for person 0"):
        personal_token(PersonalLink.CALENDAR, 0, secret=SECRET)
