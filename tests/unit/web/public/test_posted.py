"""Hostile and broken bodies: refused in words, or stored as far as they can be; never a crash."""

import pytest
from starlette.testclient import TestClient
from tests.unit.web.public.stand_ins import Workflows

from enrollment_crm.web.public.posted import MAX_BODY_IN_BYTES, MAX_FIELDS

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json", "Accept": "application/json"}
GOOD = "first_name=Mei&email=mei%40example.com&consent=yes"


def post(client: TestClient, body: bytes | str, headers: dict[str, str]) -> int:
    """Status of a raw post."""
    status: int = client.post("/request-info", content=body, headers=headers).status_code
    return status


def test_body_of_the_greatest_size_is_taken(client: TestClient, workflows: Workflows) -> None:
    body = GOOD + "&last_name="
    body += "x" * (MAX_BODY_IN_BYTES - len(body))
    assert post(client, body, FORM) == 303
    assert len(workflows.forms) == 1


def test_body_one_byte_larger_is_refused(client: TestClient, workflows: Workflows) -> None:
    body = GOOD + "&last_name="
    body += "x" * (MAX_BODY_IN_BYTES - len(body) + 1)
    answer = client.post("/request-info", content=body, headers=FORM)
    assert answer.status_code == 413
    assert "larger than 64 KB" in answer.text
    assert workflows.forms == []


def test_too_many_fields_are_refused(client: TestClient) -> None:
    most = "&".join(f"f{i}=" for i in range(MAX_FIELDS - 3)) + f"&{GOOD}"
    assert post(client, most, FORM) == 303
    assert post(client, most + "&one_more=", FORM) == 400
    assert post(client, "{" + ",".join(f'"f{i}": ""' for i in range(MAX_FIELDS + 1)) + "}", JSON) == 400


@pytest.mark.parametrize("kind", ["text/plain", "text/xml", "", "application/octet-stream"])
def test_other_content_types_are_refused(client: TestClient, kind: str) -> None:
    answer = client.post("/request-info", content=GOOD, headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert "application/x-www-form-urlencoded" in answer.text


@pytest.mark.parametrize(
    "body", ["", "[]", "7", "null", '"x"', "{", "[" * 60_000, '{"a":' * 12_000, "9" * 60_000, b"\xff\xfe{"]
)
def test_broken_json_is_refused(client: TestClient, body: str | bytes) -> None:
    assert post(client, body, JSON) == 400


def test_unstorable_characters_stay_visible(client: TestClient, workflows: Workflows) -> None:
    post(client, GOOD + "&last_name=a%00b%ED%A0%80c%FF", FORM)
    post(client, r'{"first_name": "a\u0000b\ud800", "email": "a@b.cd", "consent": "yes", "x\u0000": "1"}', JSON)
    assert workflows.forms[0]["last_name"] == "a\ufffdb\ufffd\ufffd\ufffdc\ufffd"
    assert workflows.forms[1]["first_name"] == "a\ufffdb\ufffd"
    assert workflows.forms[1]["x\ufffd"] == "1"


def test_paired_surrogates_are_one_character(client: TestClient, workflows: Workflows) -> None:
    post(client, r'{"first_name": "\ud83c\udf93", "email": "a@b.cd", "consent": "yes"}', JSON)
    assert workflows.forms[0]["first_name"] == "🎓"


def test_repeated_fields_lose_nothing(client: TestClient, workflows: Workflows) -> None:
    post(client, GOOD + "&phone=1&phone=2", FORM)
    assert workflows.forms[0]["phone"] == "1, 2"


def test_multipart_is_taken(client: TestClient, workflows: Workflows) -> None:
    parts = {"first_name": (None, "Zoë"), "email": (None, "zoe@example.com"), "consent": (None, "yes")}
    assert client.post("/request-info", files=parts).status_code == 303
    assert workflows.forms[0]["first_name"] == "Zoë"


@pytest.mark.parametrize(
    ("parameters", "body"),
    [
        ("", b"x"),
        ("; boundary=b", b"--b\r\nbroken"),
        ("; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
        ("; boundary=b; charset=nonsense", b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n'),
    ],
)
def test_broken_multipart_is_refused(client: TestClient, parameters: str, body: bytes) -> None:
    assert post(client, body, {"Content-Type": f"multipart/form-data{parameters}"}) in (400, 422)


def test_files_are_refused(client: TestClient, workflows: Workflows) -> None:
    answer = client.post("/request-info", files={"email": ("cv.pdf", b"%PDF")})
    assert answer.status_code == 400
    assert "file" in answer.text
    assert workflows.forms == []
