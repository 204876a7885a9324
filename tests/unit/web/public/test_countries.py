"""The countries of the form."""

from enrollment_crm.settings import CHECKOUT
from enrollment_crm.sources.field_maps import read_countries
from enrollment_crm.web.public.countries import countries


def test_all_of_iso_3166_and_kosovo() -> None:
    codes = {code for code, _ in countries()}
    assert len(codes) == len(countries()) == 250
    assert {"US", "TR", "TW", "XK", "PS", "CI", "AX"} <= codes
    assert not codes & {"EU", "UN", "ZZ", "XA", "IC"}


def test_accents_do_not_move_a_country() -> None:
    names = [name for _, name in countries()]
    assert names[:3] == ["Afghanistan", "Åland Islands", "Albania"]
    assert names[-1] == "Zimbabwe"


def test_every_country_is_understood_by_intake() -> None:
    understood = set(read_countries(CHECKOUT / "config" / "countries.yml").values())
    assert {code for code, _ in countries()} <= understood
