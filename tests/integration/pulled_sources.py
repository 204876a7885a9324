"""Sources that are pulled from a server of the test, configured by files as schools write them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from enrollment_crm.bootstrap import query_of
from enrollment_crm.domain.sources import Source
from enrollment_crm.settings import Settings
from enrollment_crm.sources.feeds import Feed, pull_feed
from enrollment_crm.sources.field_maps import read_sources
from enrollment_crm.sources.pulls import PullLimits

KEY = "s3cret/canary+key"
#: Impatient, so that tests are quick.
LIMITS = PullLimits(timeout_in_seconds=2, total_in_seconds=20, most_bytes=1_000_000, longest_wait_in_seconds=1)
PAGED = """
kind: application
transport: slate_query
address: {environment: TEST_URL}
credentials: {key: {environment: TEST_KEY}}
pagination: {parameter: page}
high_water: {column: Updated, parameter: updated_since}
time_zone: America/New_York
fields: {application_id: aid, email: Email}
"""
UNPAGED = PAGED.replace("pagination: {parameter: page}\n", "")
SALESFORCE = """
kind: application
transport: salesforce_rest
address: {environment: TEST_URL}
credentials: {client_id: {environment: TEST_CLIENT}, client_secret: {environment: TEST_KEY}}
query: >
  SELECT Id, hed__Applicant__r.Email, SystemModstamp FROM hed__Application__c
  WHERE SystemModstamp >= {since} ORDER BY SystemModstamp
high_water: {column: SystemModstamp, overlap_in_days: 1}
pagination: {rows_a_page: 200}
time_zone: UTC
fields: {application_id: Id, email: hed__Applicant__r.Email}
"""


def source_of(directory: Path, content: str, name: str = "pulled") -> Source:
    """The source that a file with this content configures."""
    (directory / f"{name}.yml").write_text(content, "utf-8")
    return read_sources(directory, countries={})[name]


def feed_of(
    directory: Path, url: str, content: str = UNPAGED, *, limits: PullLimits = LIMITS, **variables: str
) -> Feed:
    """What is pulled from this address."""
    environment: Mapping[str, str] = {"TEST_URL": url, "TEST_KEY": KEY, "TEST_CLIENT": "client", **variables}
    source = source_of(directory, content)
    return pull_feed(source, query_of(Settings(), source, environment=environment), limits=replace(limits))
