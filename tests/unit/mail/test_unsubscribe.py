import pytest

from enrollment_crm.mail.unsubscribe import UnsubscribeTokenInvalid, read_unsubscribe_token, unsubscribe_token

SECRET = b"secret"


def test_a_token_is_the_same_for_ever() -> None:
    token = unsubscribe_token(42, "admissions", secret=SECRET)
    assert token == "1.42.admissions.c901c9bab36a5f5091d4e313a25a7edf"


def test_a_token_says_whom_it_takes_off_what() -> None:
    token = unsubscribe_token(42, "admissions", secret=SECRET)
    assert read_unsubscribe_token(token, secret=SECRET) == (42, "admissions")


@pytest.mark.parametrize("topic", ["", "with.dot", "with space", "Ümlaut", "a/b"])
def test_a_topic_must_be_a_slug(topic: str) -> None:
    with pytest.raises(ValueError, match="slug"):
        unsubscribe_token(42, topic, secret=SECRET)


@pytest.mark.parametrize("person_id", [0, -1])
def test_a_person_must_have_an_id(person_id: int) -> None:
    with pytest.raises(ValueError, match="stored id"):
        unsubscribe_token(person_id, "admissions", secret=SECRET)


def test_a_changed_token_is_not_believed() -> None:
    token = unsubscribe_token(42, "admissions", secret=SECRET)
    signature = token.rpartition(".")[2]
    for forged in (f"1.43.admissions.{signature}", f"1.42.sessions.{signature}", f"2.42.admissions.{signature}"):
        with pytest.raises(UnsubscribeTokenInvalid):
            read_unsubscribe_token(forged, secret=SECRET)
    with pytest.raises(UnsubscribeTokenInvalid, match="does not come from us"):
        read_unsubscribe_token(token, secret=b"another")


@pytest.mark.parametrize("token", ["", "1.42.admissions", "1.42.admissions.", "x" * 5000, "1.042.a.b", "1.42.ä.é"])
def test_a_token_that_was_cut_or_made_up_is_refused(token: str) -> None:
    with pytest.raises(UnsubscribeTokenInvalid, match="whole link"):
        read_unsubscribe_token(token, secret=SECRET)


def test_a_program_that_changes_the_case_does_no_harm() -> None:
    claim, _, signature = unsubscribe_token(42, "admissions", secret=SECRET).rpartition(".")
    assert read_unsubscribe_token(f"{claim}.{signature.upper()}", secret=SECRET) == (42, "admissions")
