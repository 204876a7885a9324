"""The examples of docs/how-to/add-a-source.md are read as files of config/sources/."""

import re
from datetime import timedelta
from pathlib import Path

from enrollment_crm.domain.sources import Transport
from enrollment_crm.sources.field_maps import read_sources

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-a-source.md"


def test_the_salesforce_example_is_a_source(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "salesforce.yml").write_text(example, "utf-8")
    source = read_sources(tmp_path, countries={})["salesforce"]
    assert source.transport is Transport.SALESFORCE_REST
    assert source.field_map.read("status", "Admit with Conditions") == "submitted"
    assert source.field_map.read("citizenship", "Other (Non-U.S.)") == "none_of_the_us"
    assert source.high_water is not None
    assert source.high_water.overlap == timedelta(days=3)
    assert "{since}" in source.query
    columns = {name for raw in source.field_map.fields.values() for name in raw.names}
    assert columns <= set(re.split(r"[\s,]+", source.query))


def test_every_transport_is_explained() -> None:
    explained = re.findall(r"^\| `(\w+)` \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert sorted(explained) == sorted(["transport", *Transport])
