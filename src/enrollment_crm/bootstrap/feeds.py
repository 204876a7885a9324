"""The feeds of the settings, and which of them must be fresh."""

from enrollment_crm.bootstrap.clock import clock_of
from enrollment_crm.bootstrap.configuration import field_maps_of
from enrollment_crm.domain.canonical_rows import RecordKind
from enrollment_crm.domain.freshness import FeedWatch, WatchedSource
from enrollment_crm.settings import Settings
from enrollment_crm.sources.feeds import Feed, drop_feed, slate_feed

#: File name in config/sources/ of the field map of the Slate feed.
_SLATE = "slate"


def feeds_of(settings: Settings, kind: RecordKind) -> list[Feed]:
    """The feeds that deliver rows of this kind: drop folders, and Slate where it is configured."""
    field_maps = field_maps_of(settings)
    feeds = []
    if settings.drop_directory is not None:
        feeds += [
            drop_feed(source, kind, drop_directory=settings.drop_directory)
            for source, field_map in field_maps.items()
            if field_map.kind is kind
        ]
    if settings.slate_query_url and field_maps[_SLATE].kind is kind:
        feeds.append(
            slate_feed(
                _SLATE,
                kind,
                url=settings.slate_query_url,
                key=settings.slate_query_key.get_secret_value(),
                timeout_in_seconds=settings.feed_timeout_in_seconds,
            )
        )
    return feeds


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
