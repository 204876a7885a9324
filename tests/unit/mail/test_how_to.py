"""The recipe for editors names what there is: files, types, filters and loop fields, no more and no less."""

import re
from pathlib import Path
from typing import get_args

from enrollment_crm.mail.expressions import ALLOWED_FILTERS, ALLOWED_LOOP_FIELDS
from enrollment_crm.mail.manifest import Claim, ScalarType, read_manifest
from enrollment_crm.mail.sources import SourceFile

CHECKOUT = Path(__file__).parents[3]
RECIPE = (CHECKOUT / "docs" / "how-to" / "edit-an-email.md").read_text(encoding="utf-8")


def test_it_names_every_filter_and_loop_field() -> None:
    filters = RECIPE.partition("Filters:")[2].partition(". In a loop:")[0]
    loop = RECIPE.partition(". In a loop:")[2].partition("Nothing else")[0]
    assert set(re.findall(r"`(\w+)`", filters)) == ALLOWED_FILTERS
    assert set(re.findall(r"`loop\.(\w+)`", loop)) == ALLOWED_LOOP_FIELDS


def test_it_names_every_type() -> None:
    types = re.sub(r"\(.*?\)", "", RECIPE.partition("type: text            # ")[2].partition("\n")[0])
    assert {one.strip() for one in types.split(",")} == {*get_args(ScalarType), "list"}


def test_the_files_that_it_names_exist() -> None:
    templates = CHECKOUT / "templates" / "email"
    for name in ("subject.txt", "body.mjml", "body.txt", "email.yml"):
        assert f"`<email>/{name}`" in RECIPE
        assert (templates / "welcome" / name).is_file()
    for name in re.findall(r"`(_base/[\w.]+)`", RECIPE):
        assert (templates / name).is_file()


def test_the_claim_that_it_shows_is_one() -> None:
    example = RECIPE.partition("claims:\n  - ")[2].partition("```")[0]
    file = SourceFile(Path("claim.yml"), re.sub(r"(?m)^    ", "", example))
    assert read_manifest(file, Claim).until.year == 2026
