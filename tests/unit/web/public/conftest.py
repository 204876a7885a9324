"""A public site over stand-ins, and a client for it."""

import pytest
from starlette.testclient import TestClient
from tests.unit.web.public.stand_ins import Workflows

from enrollment_crm.web.public.site import build_site


@pytest.fixture
def workflows() -> Workflows:
    """What the site calls; tests look at what it kept."""
    return Workflows()


@pytest.fixture
def client(workflows: Workflows) -> TestClient:
    """A client that follows no redirect and sees a crash as the answer that a browser would get."""
    return TestClient(build_site(workflows.parts()), follow_redirects=False, raise_server_exceptions=False)
