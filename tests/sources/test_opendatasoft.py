from __future__ import annotations

import json
from pathlib import Path

from models.domain.alert import AlertLevel
from models.domain.taxonomy import Taxonomy
from models.sources.opendatasoft import read_opendatasoft


def test_v21_results_give_alerts(samples: Path, taxonomy: Taxonomy) -> None:
    (ring, lamp, dress), report = read_opendatasoft(samples / "opendatasoft.json", taxonomy, strict=True)
    assert ring.title == "Swim ring Plaskis ring with seat"
    assert ring.hazard_text == "The single air chamber may lose air at once. The valve has no stop."
    assert ring.measures == "Ban on marketing; Recall from consumers"
    assert (ring.barcodes, ring.models) == (("0000000000079",), ("PR-2",))
    assert "Plastic bag" not in repr(ring)
    assert lamp.level is AlertLevel.OTHER
    assert lamp.risk_types == ("chemical", "health risk / other")
    assert dress.risk_types == ("burns", "other")
    assert report.unknown_labels == {"Quaking": 1}


def test_v1_records_give_the_same_alerts(samples: Path, taxonomy: Taxonomy) -> None:
    old, _ = read_opendatasoft(samples / "opendatasoft_v1.json", taxonomy, strict=True)
    new, _ = read_opendatasoft(samples / "opendatasoft.json", taxonomy, strict=True)
    assert old == new[:2]


def test_an_export_of_one_record_a_line_is_read(tmp_path: Path, taxonomy: Taxonomy) -> None:
    path = tmp_path / "o.jsonl"
    rows = [{"alert_number": f"SR/{i}/30", "product_name": "Lamp", "alert_type": None} for i in range(3)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    alerts, _ = read_opendatasoft(path, taxonomy, strict=True)
    assert [a.reference for a in alerts] == ["SR/0/30", "SR/1/30", "SR/2/30"]
    assert alerts[0].risk_types == ()
