import pytest

from enrollment_crm.mail.addresses import AddressInvalid, Mailbox, mailbox_of

GOOD = (
    ("ana@example.org", "ana@example.org", False),
    ("Ana.Silva+crm@Example.ORG", "Ana.Silva+crm@Example.ORG", False),
    ("o'brien@example.ie", "o'brien@example.ie", False),
    # Old mailboxes of Japanese phones have dots where RFC 5321 wants quotes around them.
    ("taro..yamada@docomo.ne.jp", '"taro..yamada"@docomo.ne.jp', False),
    ("taro.@docomo.ne.jp", '"taro."@docomo.ne.jp', False),
    ("ana@bücher.example", "ana@xn--bcher-kva.example", False),
    # IDNA2008 keeps the sharp s, which IDNA2003 (and Python's own codec) turn into another domain.
    ("ana@straße.example", "ana@xn--strae-oqa.example", False),
    ("ana@ＥＸＡＭＰＬＥ.org", "ana@example.org", False),
    ("josé@example.org", "josé@example.org", True),
    ("用户@例え.テスト", "用户@xn--r8jz45g.xn--zckzah", True),
)
BAD = (
    "", "ana", "@example.org", "ana@", "ana@localhost", "ana@-x.example", "ana@exa mple.org", "a b@example.org",
    "ana@example.org\r\nBcc: x@y.example", "ana@example..org", "ana@[127.0.0.1]", "a@b@example.org",
    "<ana@example.org>", "ana@example.org.", f"{'x' * 65}@example.org", f"ana@{'x' * 64}.example",
    "ana\u200b@example.org",
    "ana\u202e@example.org",
    "ana@ex_ample.org", f"ana@{'abcdefgh.' * 30}org", "ana\ud800@example.org", "ana@☃\u0378.example",
)  # fmt: skip


@pytest.mark.parametrize(("address", "spec", "utf8"), GOOD)
def test_good_addresses(address: str, spec: str, utf8: bool) -> None:
    assert mailbox_of(address) == Mailbox(spec, requires_smtputf8=utf8)


@pytest.mark.parametrize("address", BAD)
def test_bad_addresses_are_refused_without_repeating_them(address: str) -> None:
    with pytest.raises(AddressInvalid) as refusal:
        mailbox_of(address)
    assert "correct it" in str(refusal.value)
    assert not address or address not in str(refusal.value)
