"""The feeds of the settings, and which of them must be fresh."""

from enrollment_crm.bootstrap.clock import clock_of
from enrollment_crm.bootstrap.configuration import field_maps_of, sources_of
from enrollment_crm.bootstrap.credentials import Connections, has_address, query_of
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.freshness import FeedWatch, WatchedSource
from enrollment_crm.settings import Settings
from enrollment_crm.sources.feeds import Feed, drop_feed, pull_feed
from enrollment_crm.sources.pulls import PullLimits


def feeds_of(settings: Settings, kind: RecordKind, *, connections: Connections | None = None) -> list[Feed]:
    """The feeds that deliver rows of this kind: drop folders, and the pulls that have an address.

    Args:
        connections: resolves Airflow connections; None: those of the environment alone.
    """
    sources = [one for one in sources_of(settings).values() if one.field_map.kind is kind]
    folder = settings.drop_directory
    dropped = [drop_feed(one.name, kind, drop_directory=folder, layout=one.layout) for one in sources]
    pulled = [
        pull_feed(one, query_of(settings, one, connections), limits=pull_limits_of(settings))
        for one in sources
        if one.is_pulled and has_address(settings, one)
    ]
    return [*dropped, *pulled]


def pull_limits_of(settings: Settings) -> PullLimits:
    """What one pull may take."""
    return PullLimits(timeout_in_seconds=settings.feed_timeout_in_seconds)


def feed_watch_of(settings: Settings) -> FeedWatch:
    """The feeds of applications that must be fresh, judged at this instant, also where a dry run looks ahead."""
    field_maps, set_up = field_maps_of(settings), dict[str, bool]()
    for feed in feeds_of(settings, RecordKind.APPLICATION):
        set_up[feed.source] = feed.is_set_up or set_up.get(feed.source, False)
    watched = [
        WatchedSource(source, budget, is_set_up)
        for source, is_set_up in set_up.items()
        if (budget := field_maps[source].freshness_budget) is not None
    ]
    return FeedWatch(tuple(watched), judged_at=clock_of(settings)())
