"""Whether this process lives, and whether it can do its work."""

from dataclasses import dataclass
from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import SQLAlchemyError

from enrollment_crm.web.public.parts import PublicParts

PATH = "/health"
READY_PATH = f"{PATH}/ready"


@dataclass(frozen=True)
class Health:
    """Two answers: a supervisor restarts on the first, a load balancer turns away on the second."""

    parts: PublicParts

    def routes(self) -> APIRouter:
        """The routes of both."""
        router = APIRouter()
        router.add_api_route(PATH, self.alive, methods=["GET"])
        router.add_api_route(READY_PATH, self.ready, methods=["GET"])
        return router

    async def alive(self) -> Response:
        """200 while the process answers. A coroutine: no slow database can hold its thread."""
        return JSONResponse({"status": "alive"})

    def ready(self) -> Response:
        """200 when the database is reachable and its schema is this code's, else 503 with the reason."""
        try:
            problem = self.parts.database_problem()
        except SQLAlchemyError as error:
            problem = f"The database cannot be reached ({type(error).__name__}). Is it up? See CRM_DATABASE_URL."
        if problem:
            return JSONResponse({"status": "not ready", "problem": problem}, HTTPStatus.SERVICE_UNAVAILABLE)
        return JSONResponse({"status": "ready"})
