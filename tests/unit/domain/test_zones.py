"""R4: whose clock a person lives by. R11: what an events page means by EST."""

import pytest

from enrollment_crm.domain.zones import HOME_ZONE, choose_zone, labelled_zone

COUNTRY_ZONES = {"CN": "Asia/Shanghai", "IN": "Asia/Kolkata"}


@pytest.mark.parametrize(
    ("stated", "country", "zone", "basis"),
    [
        ("Asia/Kathmandu", "IN", "Asia/Kathmandu", "stated"),
        ("America/Argentina/Buenos_Aires", None, "America/Argentina/Buenos_Aires", "stated"),
        (None, "IN", "Asia/Kolkata", "country"),
        (None, "in", "Asia/Kolkata", "country"),
        ("", "CN", "Asia/Shanghai", "country"),
        (None, "US", HOME_ZONE, "default"),  # several zones, no primary one
        (None, "XX", HOME_ZONE, "default"),
        (None, None, HOME_ZONE, "default"),
    ],
)
def test_r4_the_own_zone_else_the_countrys_else_new_york(
    stated: str | None, country: str | None, zone: str, basis: str
) -> None:
    choice = choose_zone(stated, country, country_zones=COUNTRY_ZONES)
    assert (choice.zone, choice.basis, choice.warning) == (zone, basis, None)


@pytest.mark.parametrize("name", ["Asia/Atlantis", "PST", "UTC+8", "../../etc/passwd", "asia/shanghai", "Asia/"])
def test_r4_an_unknown_name_falls_back_the_same_way_with_a_warning(name: str) -> None:
    by_country = choose_zone(name, "CN", country_zones=COUNTRY_ZONES)
    assert (by_country.zone, by_country.basis) == ("Asia/Shanghai", "country")
    assert choose_zone(name, None, country_zones=COUNTRY_ZONES).zone == HOME_ZONE
    assert by_country.warning == f"unknown time zone {name!r}"


def test_r4_a_warning_stays_short_whatever_was_written() -> None:
    warning = choose_zone("x" * 10_000, None, country_zones={}).warning
    assert warning is not None
    assert len(warning) < 100


@pytest.mark.parametrize("label", ["EST", "EDT", "ET", "est"])
def test_r11_the_labels_of_an_events_page_all_mean_new_yorks_wall_clock(label: str) -> None:
    assert labelled_zone(label).key == "America/New_York"


def test_r11_an_iana_name_is_itself() -> None:
    assert labelled_zone("Europe/Berlin").key == "Europe/Berlin"


def test_r11_another_label_is_refused_with_what_to_write() -> None:
    with pytest.raises(ValueError, match=r"'PST' is not a time zone: write an IANA name such as 'America/New_York'"):
        labelled_zone("PST")
