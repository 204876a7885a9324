"""The public site put together from its parts; `app` finds the parts, tests bring their own."""

from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from enrollment_crm.web.public import request_info
from enrollment_crm.web.public.access_log import AccessLog
from enrollment_crm.web.public.calendar_feed import CalendarFeed
from enrollment_crm.web.public.health import Health
from enrollment_crm.web.public.pages import STATIC, Pages
from enrollment_crm.web.public.parts import PublicParts
from enrollment_crm.web.public.preferences import PreferencePage
from enrollment_crm.web.public.problems import Problems
from enrollment_crm.web.public.request_info import RequestInfo
from enrollment_crm.web.public.security_headers import SecurityHeaders
from enrollment_crm.web.public.unsubscribe import Unsubscribe
from enrollment_crm.web.public.webhooks import Webhooks


def build_site(parts: PublicParts) -> ASGIApp:
    """The ASGI app. It publishes no schema: it serves people, one-click unsubscribers, webhooks and health checks."""
    app = FastAPI(title="Request information", docs_url=None, redoc_url=None, openapi_url=None)
    pages = Pages(parts)
    app.include_router(RequestInfo(parts, pages).routes())
    app.include_router(Unsubscribe(parts, pages).routes())
    app.include_router(PreferencePage(parts, pages).routes())
    app.include_router(CalendarFeed(parts).routes())
    app.include_router(Webhooks(parts).routes())
    app.include_router(Health(parts).routes())
    app.add_api_route("/", _to_the_form, methods=["GET"])
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    Problems(pages).install(app)
    # Around the whole app, not inside it: the answer to a crash is made outside of FastAPI's middleware.
    return SecurityHeaders(AccessLog(app), https=parts.public_url.startswith("https://"))


async def _to_the_form() -> RedirectResponse:
    return RedirectResponse(request_info.PATH)
