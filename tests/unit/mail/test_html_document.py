import pytest

from enrollment_crm.mail.html_document import contrast, read_html


def test_what_a_reader_meets() -> None:
    document = read_html(
        '<html lang="en"><head><title>T</title><style>p{}</style></head><body style="background:#EEE">'
        '<div style="display:none">hidden</div><p style="color:#333">One<br />two <a href="https://a.example">th<b>r</b>ee</a></p>'
        '<table role="presentation"><tr><td bgcolor="#000000"><span style="color:#fff">four</span></td></tr></table>'
        '<table></table><!--[if mso]><table><![endif]--><img src="https://a.example/x.png"></body></html>'
    )
    assert document.language == "en"
    assert document.words == "One two th r ee four"
    assert document.links == [("https://a.example", "three")]
    assert ("One", "#333333", "#eeeeee") in document.pieces
    assert ("four", "#ffffff", "#000000") in document.pieces
    assert document.tables_without_role == 1
    assert document.fetched == ["https://a.example/x.png"]


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21), ("#ffffff", "#ffffff", 1), ("#767676", "#ffffff", 4.54), ("#777777", "#ffffff", 4.48)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)
    assert contrast(other, one) == pytest.approx(ratio, abs=0.01)
