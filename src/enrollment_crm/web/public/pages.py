"""The site's pages: Jinja templates beside this file, compiled once, with the parts that every page shows."""

import hashlib
from functools import cache
from http import HTTPStatus
from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from enrollment_crm.web.public.parts import PublicParts

HERE = Path(__file__).parent
STATIC = HERE / "static"


class Pages:
    """Renders a template of ``templates/`` to a response."""

    def __init__(self, parts: PublicParts) -> None:
        # Every template is HTML: escape all of them, whatever their name ends in.
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(site=parts, asset=asset)

    def render(self, name: str, *, status: HTTPStatus = HTTPStatus.OK, **context: object) -> HTMLResponse:
        """The page; a name that the template uses and the context lacks raises ``UndefinedError``."""
        return HTMLResponse(self._templates.get_template(name).render(context), status)

    def problem(self, status: HTTPStatus, title: str, words: str) -> HTMLResponse:
        """A page that says what went wrong and what to do."""
        return self.render("problem.html", status=status, title=title, words=words)


def wants_json(request: Request) -> bool:
    """Whether the client is a program: it asks for JSON and not for a page, or is another system that posts to us."""
    if request.url.path.startswith("/webhooks/"):
        return True
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept


@cache
def asset(name: str) -> str:
    """Address of a static file, with a digest of its bytes so that browsers may keep it for ever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"
