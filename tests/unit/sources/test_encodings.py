"""What a file is written in: what is stated, what it says itself, or a guess that is told."""

from pathlib import Path

import pytest

from enrollment_crm.sources.encodings import Encoding, encoding_of, is_encoding
from enrollment_crm.sources.feed_errors import FeedUnreadableError

#: By encoding, as people call it: some names of people and places as they stand in exports.
ABROAD = {
    "Shift_JIS": ("陽子,高橋", "健一,佐藤", "美咲,中村"),
    "EUC-JP": ("陽子,高橋", "健一,佐藤", "さゆり,鈴木"),
    "GB18030": ("小明,王", "建国,张", "丽华,陈"),
    "Big5": ("志明,陳", "淑芬,林", "家豪,黃"),
    "EUC-KR": ("민준,김", "서연,이", "지훈,박"),
    "windows-1251": ("Иван,Петров", "Ольга,Кузнецова", "Юрій,Шевченко"),
    "KOI8-R": ("Иван,Петров", "Ольга,Кузнецова", "Алексей,Смирнов"),
    "windows-1256": ("محمد,الأحمد", "فاطمة,الزهراء", "يوسف,حسن"),
    "windows-1253": ("Γιώργος,Παπαδόπουλος", "Ελένη,Νικολάου", "Δημήτρης,Γεωργίου"),
    "windows-1255": ("יוסף,כהן", "שרה,לוי", "דוד,מזרחי"),
    "windows-874": ("สมชาย,ใจดี", "สุดา,ทองคำ", "วิชัย,ศรีสุข"),
}
CENTRAL_EUROPE = (
    "Jiří,Dvořák", "Věra,Němcová", "Ondřej,Růžička", "Zdeněk,Kučera", "Květa,Blažková", "Řehoř,Sýkora", "Dáša,Čápová",
    "Luděk,Hájek", "Přemysl,Tomeš", "Bořivoj,Šebesta",
)  # fmt: skip
TURKEY = (
    "Ayşe,Yıldırım", "Oğuz,Çelik", "Işıl,Aydoğan", "Gülşah,Şahin", "Barış,Kılıç", "Tuğba,Güneş", "Çağrı,Akın",
    "Yağmur,Özdoğan", "Kıvanç,Taşkın", "İpek,Aslanoğlu",
)  # fmt: skip
WEST = (
    "Zoë,Núñez", "José,Muñoz", "André,Côté", "Jürgen,Weiß", "João,Magalhães", "Søren,Kjær", "Åsa,Sjögren", "Loïs,Piña",
    "Cauã,Gonçalves", "Benoît,L’Île", "Þóra,Auðunsdóttir", "Renée,Bjørnstad", "María,Peña", "Françoise,Guérin",
)  # fmt: skip


def file_of(directory: Path, names: tuple[str, ...], encoding: str, *, others: int = 0) -> Path:
    lines = ["Email,First Name,Last Name,Entry Term", *(f"a{n}@example.edu,Ann,Doe,fall 2027" for n in range(others))]
    lines += [f"b{n}@example.edu,{name},fall 2027" for n, name in enumerate(names)]
    file = directory / "fair.csv"
    file.write_bytes("\r\n".join(lines).encode(encoding))
    return file


@pytest.mark.parametrize("others", [0, 3_000])
@pytest.mark.parametrize("encoding", ABROAD)
def test_another_script_is_told_by_three_names(tmp_path: Path, encoding: str, others: int) -> None:
    python = {"windows-874": "cp874"}.get(encoding, encoding)
    file = file_of(tmp_path, ABROAD[encoding], python, others=others)
    name, assumed = encoding_of(file)
    assert file.read_bytes().decode(name) == file.read_bytes().decode(python)
    assert assumed


@pytest.mark.parametrize(
    ("names", "encoding"),
    [(CENTRAL_EUROPE, "windows-1250"), (CENTRAL_EUROPE, "iso-8859-2"), (TURKEY, "iso-8859-9"), (TURKEY, "cp1254")],
)
def test_other_latin_letters_are_told_by_ten_names(tmp_path: Path, names: tuple[str, ...], encoding: str) -> None:
    file = file_of(tmp_path, names, encoding, others=300)
    assert file.read_bytes().decode(encoding_of(file).name) == file.read_bytes().decode(encoding)


@pytest.mark.parametrize(
    "names", [WEST, *((one,) for one in WEST), ("£ 5,½ – “x”",), ("IBÁÑEZ,NÚÑEZ",), ("Cauã,Piña",)]
)
def test_western_names_are_never_taken_for_others(tmp_path: Path, names: tuple[str, ...]) -> None:
    assert encoding_of(file_of(tmp_path, names, "cp1252", others=30)) == Encoding("cp1252", assumed="windows-1252")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-32-le", "utf-32-be"])
def test_unicode_says_itself_what_it_is(tmp_path: Path, encoding: str) -> None:
    file = file_of(tmp_path, WEST, encoding)
    name, assumed = encoding_of(file)
    assert file.read_bytes().decode(name).startswith("Email")
    assert not assumed


def test_what_is_stated_rules(tmp_path: Path) -> None:
    file = file_of(tmp_path, ("José,Muñoz",), "mac_roman")
    assert encoding_of(file).assumed == "windows-1252"
    assert encoding_of(file, "macintosh") == Encoding("mac-roman")
    assert encoding_of(file_of(tmp_path, WEST, "utf-8-sig"), "utf-8") == Encoding("utf-8-sig")
    assert encoding_of(file_of(tmp_path, WEST, "utf-16-be"), "utf-16") == Encoding("utf-16-be")
    assert encoding_of(file_of(tmp_path, WEST, "utf-16"), "utf-16-le") == Encoding("utf-16")
    assert encoding_of(file_of(tmp_path, ("Ann,Doe",), "ascii"), "shift_jis") == Encoding("cp932")


@pytest.mark.parametrize(
    ("written", "stated", "words"),
    [
        ("cp1252", "utf-8", "is not written in utf-8, as is stated: correct the encoding where it is stated"),
        ("cp1252", "gb18030", "is not written in gb18030"),
        ("utf-8", "windows-1252", "is UTF-8 and not windows-1252, as is stated: take the encoding out"),
        ("utf-16", "utf-8", "is not written in utf-8"),
        ("utf-8", "utf-16", "is not written in utf-16"),
        ("cp1252", "utf-32", "is not written in utf-32"),
        ("utf-8-sig", "windows-1252", "is not written in windows-1252"),
    ],
)
def test_a_file_that_is_not_in_what_is_stated_is_told_so(tmp_path: Path, written: str, stated: str, words: str) -> None:
    with pytest.raises(FeedUnreadableError, match=rf"fair\.csv {words}"):
        encoding_of(file_of(tmp_path, WEST, written), stated)


@pytest.mark.timeout(10)
def test_a_long_cell_beside_a_name_takes_no_time(tmp_path: Path) -> None:
    file = file_of(tmp_path, ("Zoë," + "x" * 1024 * 1024,), "cp1252")
    assert encoding_of(file).assumed == "windows-1252"


def test_a_bar_may_be_half_a_letter(tmp_path: Path) -> None:
    assert b"|" in "ポ".encode("cp932")
    assert encoding_of(file_of(tmp_path, ("ポール,田中",), "cp932")).name == "cp932"


def test_larger_encodings_are_meant_by_the_names_of_smaller_ones(tmp_path: Path) -> None:
    file = file_of(tmp_path, ("①髙,橋﨑", *ABROAD["Shift_JIS"]), "cp932")
    assert encoding_of(file, "shift_jis").name == "cp932"
    assert encoding_of(file_of(tmp_path, ABROAD["GB18030"], "gb18030"), "gb2312").name == "gb18030"


def test_names_of_encodings_are_checked() -> None:
    assert all(map(is_encoding, ("utf8", "Windows-1252", "shift_jis", "GBK", "windows-874")))
    assert not any(
        map(is_encoding, ("rot13", "hex", "shiftjis2", "\0", "undefined", "idna", "punycode", "unicode_escape"))
    )
