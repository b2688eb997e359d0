"""The pages as the server writes them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import serving
from tests.serving.conftest import HEATER, post

TEMPLATES = Path(serving.__file__).parent / "templates"
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


def test_the_front_page_needs_nothing_from_elsewhere(shared_client: TestClient) -> None:
    response = shared_client.get("/", headers=HTML)
    assert response.status_code == 200
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', response.text)
    for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', response.text):
        answer = shared_client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert not re.search(rb"https?://(?!www\.w3\.org)", answer.content)


def test_no_form_would_put_what_was_typed_into_an_address() -> None:
    """Without its script a form is sent as the page says it: GET by default, with all fields in the address."""
    forms = {path: re.findall(r"<form[^>]*>", path.read_text(encoding="utf-8")) for path in TEMPLATES.rglob("*.html")}
    assert sum(map(len, forms.values())) > 30
    assert [(path.name, form) for path, found in forms.items() for form in found if "method=" not in form] == []


def test_no_inline_script_or_style_is_written_or_allowed(shared_client: TestClient) -> None:
    identifier = post(shared_client, [HEATER])["results"][0]["assessment"]["id"]
    for path in ("/", f"/assessments/{identifier}", "/nowhere"):
        response = shared_client.get(path, headers=HTML)
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", response.text)
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


@pytest.mark.parametrize("where", ["/", "/assessments/"])
def test_what_a_seller_wrote_stays_text(client: TestClient, where: str) -> None:
    identifier = post(client, [{"id": HOSTILE, "title": HOSTILE}])["results"][0]["assessment"]["id"]
    page = client.get(where + identifier if where != "/" else "/", headers=HTML).text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;" in page


def test_a_person_gets_an_error_as_a_page(shared_client: TestClient) -> None:
    response = shared_client.get("/assessments/none", headers=HTML)
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/html")
    assert "There is nothing here" in response.text


def test_a_program_gets_the_same_error_as_a_problem(shared_client: TestClient) -> None:
    assert shared_client.get("/assessments/none").headers["content-type"] == "application/problem+json"
    assert shared_client.get("/v1/none", headers=HTML).headers["content-type"] == "application/problem+json"


def test_the_matrix_on_the_page_is_that_of_the_domain(shared_client: TestClient) -> None:
    cells = re.findall(r'<td class="cell-(\w+)" data-band="([^"]+)" data-severity="(\d)"', shared_client.get("/").text)
    assert len(cells) == 32
    assert ("serious", "&gt; 50 %", "4") in cells
    assert ("low", "&lt;= 1/1 000 000", "4") in cells
