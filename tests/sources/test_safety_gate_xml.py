from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path

import pytest

from models.domain.alert import AlertLevel
from models.domain.errors import InputError
from models.domain.taxonomy import Taxonomy
from models.sources.safety_gate_xml import WeeklyReport, read_weekly_list, read_weekly_report

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def report_of(tmp_path: Path, body: str, head: str = "") -> Path:
    path = tmp_path / "r.xml"
    path.write_text(f"{head}<report {XSI}>\n{body}\n</report>", encoding="utf-8")
    return path


def test_the_weekly_report_gives_every_notification(samples: Path, taxonomy: Taxonomy) -> None:
    alerts, report = read_weekly_report(samples / "safety_gate_weekly_detail.xml", taxonomy, strict=True)
    toy, jacket, charger, car, cream = alerts
    assert toy.title == "Pull toy Bead caterpillar"
    assert (toy.models, toy.barcodes, toy.batches) == (("BC-6", "BC-8"), ("0000000000062",), ("T30-07",))
    assert toy.country_of_origin == ""
    assert jacket.risk_types == ("strangulation", "injuries")
    assert jacket.brand == ""
    assert charger.risk_types == ("electric shock", "fire", "other")
    assert charger.unknown_labels == ("Smoulder danger",)
    assert charger.description == "White housing with six sockets & a folding plug."
    assert car.category == "Motor vehicles"
    assert cream.url == ""
    assert [a.level.value for a in alerts] == ["serious", "serious", "other", "serious", "information"]
    assert report.unknown_labels == {"Smoulder danger": 1}
    assert (report.label_kind, report.read) == ("official", 5)


def test_nil_elements_are_empty_even_with_text(samples: Path, taxonomy: Taxonomy) -> None:
    alerts, _ = read_weekly_report(samples / "safety_gate_weekly_detail.xml", taxonomy)
    assert "left over" not in repr(alerts)


def test_the_defect_stays_out_of_the_example(samples: Path, taxonomy: Taxonomy) -> None:
    alerts, _ = read_weekly_report(samples / "safety_gate_weekly_detail.xml", taxonomy)
    for alert in alerts:
        example = repr(alert.to_example())
        assert alert.hazard_text
        assert alert.hazard_text not in example


def test_the_list_names_the_reports(samples: Path) -> None:
    assert read_weekly_list(samples / "safety_gate_weekly_list.xml")[0] == WeeklyReport(
        "https://example.org/safety-gate/weeklyReport/detail/xml/30001", "Report-2030-001", dt.date(2030, 1, 4)
    )


def test_a_list_of_bare_addresses_is_read_and_other_schemes_are_not(tmp_path: Path) -> None:
    path = report_of(tmp_path, "<URL>https://example.org/1</URL><URL>file:///etc/passwd</URL>")
    assert [r.url for r in read_weekly_list(path)] == ["https://example.org/1"]


def test_a_list_without_addresses_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no <URL>"):
        read_weekly_list(report_of(tmp_path, "<a/>"))


@pytest.mark.parametrize(
    ("head", "body", "parts"),
    [
        ('<!DOCTYPE r [<!ENTITY a "aaaa">]>', "<notifications>&a;</notifications>", ["DTD", "line 1"]),
        ('<!DOCTYPE r SYSTEM "file:///etc/passwd">', "", ["DTD", "refused"]),
        ("", "<notifications><product>x</notifications>", ["not well-formed XML", "line 2", "column"]),
        ("", "<notifications>&undefined;</notifications>", ["not well-formed XML", "undefined entity"]),
        ("", "<a>" * 60 + "</a>" * 60, ["nested more than 50 deep"]),
        ("", "<URL>https://example.org/1</URL>", ["no <notifications> element", "list of reports"]),
        ("", "<notifications><product>x</product></notifications>", ["line 2", "caseNumber", "SR/00001/30"]),
        ("", "<notifications><caseNumber>SR/1/30</caseNumber></notifications>", ["SR/1/30 names no product"]),
    ],
)
def test_bad_xml_is_refused_with_place_and_mend(
    tmp_path: Path, taxonomy: Taxonomy, head: str, body: str, parts: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        read_weekly_report(report_of(tmp_path, body, head), taxonomy)
    for part in parts:
        assert part in str(caught.value)


def test_a_bad_notification_is_refused_and_the_next_goes_on(tmp_path: Path, taxonomy: Taxonomy) -> None:
    body = """<notifications><product>x</product></notifications>
<notifications><caseNumber>OR/1/30</caseNumber><product>y</product></notifications>"""
    alerts, report = read_weekly_report(report_of(tmp_path, body), taxonomy)
    assert [(a.title, a.level) for a in alerts] == [("y", AlertLevel.OTHER)]
    assert [(r.line, r.column) for r in report.refusals] == [(2, "caseNumber")]


def test_gzip_namespaces_and_other_encodings_are_read(tmp_path: Path, taxonomy: Taxonomy) -> None:
    path = tmp_path / "r.xml.gz"
    text = """<?xml version="1.0" encoding="ISO-8859-1"?><n:report xmlns:n="urn:x"><n:notifications>
    <n:caseNumber>SR/1/30</n:caseNumber><n:product>Bär</n:product></n:notifications></n:report>"""
    path.write_bytes(gzip.compress(text.encode("latin-1")))
    assert read_weekly_report(path, taxonomy)[0][0].title == "Bär"
