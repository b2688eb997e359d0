from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest

from models.domain.alert import AlertLevel
from models.domain.errors import InputError
from models.domain.taxonomy import Taxonomy
from models.sources.alert_fields import date_of, level_of, list_of, text_of, web_address
from models.sources.detect import ALERT_FORMATS, alert_format, read_alerts
from models.sources.report import KEPT_REFUSALS, ReadReport, Refusal

FORMATS = {
    "safety_gate_weekly_detail.xml": "safety-gate-weekly-xml",
    "safety_gate_portal.json": "safety-gate-portal-json",
    "opendatasoft.json": "opendatasoft-json",
    "opendatasoft_v1.json": "opendatasoft-json",
    "cpsc_recalls.json": "cpsc-json",
    "examples.csv": "csv",
    "examples.jsonl": "jsonl",
}


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_recognised_whatever_its_name(
    samples: Path, tmp_path: Path, taxonomy: Taxonomy, name: str
) -> None:
    alerts, report = read_alerts(samples / name, taxonomy, strict=True)
    assert report.format == FORMATS[name]
    assert alerts
    renamed = tmp_path / (name + ".gz")
    renamed.write_bytes(gzip.compress((samples / name).read_bytes()))
    assert read_alerts(renamed, taxonomy, strict=True)[0] == alerts
    if FORMATS[name] != "csv":
        shutil.copy(samples / name, tmp_path / "export.dat")
        assert alert_format(tmp_path / "export.dat") == FORMATS[name]


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("a.json", b'{"hello": 1}', "no record looks like an alert"),
        ("a.json", b"", "'.json'"),
        ("a.html", b"<!DOCTYPE html><html>", "an HTML page"),
        ("a.pdf", b"%PDF-1.7", "'.pdf'"),
        ("a.xlsx", b"PK\x03\x04", "Excel"),
    ],
)
def test_an_unknown_format_is_an_error_with_the_known_ones(
    tmp_path: Path, taxonomy: Taxonomy, name: str, content: bytes, part: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_alerts(tmp_path / name, taxonomy)
    assert part in str(caught.value)
    assert ALERT_FORMATS in str(caught.value)


def test_an_empty_answer_holds_no_alerts(tmp_path: Path, taxonomy: Taxonomy) -> None:
    (tmp_path / "a.json").write_text("[]")
    alerts, report = read_alerts(tmp_path / "a.json", taxonomy)
    assert (alerts, report.rows) == ([], 0)


def test_rows_of_an_example_table_stand_for_alerts(samples: Path, taxonomy: Taxonomy) -> None:
    alerts, _ = read_alerts(samples / "examples.csv", taxonomy)
    assert (alerts[0].reference, alerts[0].risk_types, alerts[0].level) == ("ex-001", ("choking",), AlertLevel.UNKNOWN)
    assert alerts[0].to_example().title == alerts[0].title


@pytest.mark.parametrize(
    ("stated", "reference", "level"),
    [
        ("Serious risk", "INFO/1/30", "serious"), ("Other risk level", "", "other"),
        ("Other risk levels", "SR/1/30", "other"),
        ("Other types of alerts", "", "information"), ("For information", "", "information"),
        ("", "SR/04459/25", "serious"), (None, "A12/0001/19", "serious"), ("", "0241/06", "serious"),
        ("", "EM/1/30", "serious"), ("", "OR/1/30", "other"), ("", "a11/1/30", "other"),
        ("", "INFO/1/30", "information"),
        ("", "30-001", "unknown"), ("", "", "unknown"),
    ],
)  # fmt: skip
def test_the_level_is_the_stated_one_and_else_that_of_the_prefix(
    stated: str | None, reference: str, level: str
) -> None:
    assert level_of(stated, reference).value == level


@pytest.mark.parametrize(
    ("value", "iso"),
    [
        ("2030-01-04", "2030-01-04"), ("2030-01-04T10:00:00Z", "2030-01-04"), ("20300104", "2030-01-04"),
        ("04/01/2030", "2030-01-04"), ("4.1.2030", "2030-01-04"), (1_893_715_200_000, "2030-01-04"),
        ("2030-02-31", None), ("2030w01", None), ("", None), (None, None), (True, None), (float("nan"), None),
    ],
)  # fmt: skip
def test_dates_of_every_register_are_read(value: object, iso: str | None) -> None:
    found = date_of(value)
    assert (found.isoformat() if found else None) == iso


def test_small_fields_are_cleaned() -> None:
    assert text_of("\u00a0 N/A ") == ""
    assert list_of(["a", None, "a", " b "]) == ("a", "b")
    assert web_address("https://example.org/a?b=1") == "https://example.org/a?b=1"
    assert web_address('https://example.org/"onclick=') == ""
    assert web_address("javascript:alert(1)") == ""


def test_a_report_counts_all_refusals_and_keeps_the_first() -> None:
    report = ReadReport("f.csv", read=1)
    for line in range(KEPT_REFUSALS + 5):
        report.refuse(Refusal(line, "bad"))
    report.finish()
    assert (report.refused, len(report.refusals)) == (KEPT_REFUSALS + 5, KEPT_REFUSALS)
