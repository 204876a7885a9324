"""A look at the public site from outside: reached over https, with the right clock, and a way out that takes a POST."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

import requests

_TIMEOUT_IN_SECONDS = 10
#: No token that was ever made: nobody is taken off anything.
_NOBODY = "check-setup"


class SiteUnreachable(Exception):
    """The site cannot be asked; the sentence says why."""


@dataclass(frozen=True)
class WayOutAnswer:
    """What the one-click endpoint answered to the POST of a mail program."""

    status: int
    #: It is the page of our own site, not one of a proxy or a login.
    is_ours: bool
    #: The server's clock; None: it does not tell.
    at: datetime | None


def post_way_out(public_url: str) -> WayOutAnswer:
    """POST as RFC 8058 says: no cookie, no redirect followed.

    Raises:
        SiteUnreachable: no answer, or no certificate that is trusted.
    """
    try:
        response = requests.post(
            f"{public_url.rstrip('/')}/unsubscribe/{_NOBODY}",
            data={"List-Unsubscribe": "One-Click"},
            timeout=_TIMEOUT_IN_SECONDS,
            allow_redirects=False,
        )
    except requests.exceptions.SSLError as error:
        raise SiteUnreachable("Its certificate is not valid for readers' programs.") from error
    except requests.RequestException as error:
        raise SiteUnreachable(f"It does not answer ({type(error).__name__}).") from error
    return WayOutAnswer(response.status_code, "This link is not complete" in response.text, _date_of(response))


def _date_of(response: requests.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        return None
