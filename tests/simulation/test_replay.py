"""A simulation gives what deciding live gives, and its counts add up however the history is cut."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.domain.action import Action
from models.domain.assessment import Assessment
from models.domain.errors import InputError
from models.plan.facts import Circumstances, facts_of
from models.plan.reading import default_plan_file, plan_file_text
from models.simulation.outcome import remembered, replayed
from models.simulation.records import Record, Unreadable, file_shards, holds_assessments, read_record
from models.simulation.replay import Setup, replay, replay_shard
from models.simulation.summary import Compared, summary
from models.simulation.tally import ACTIONS, Tally
from tests.simulation.conftest import findings, listings, plan_of, plan_texts

DEFAULT = plan_file_text(default_plan_file())
_ACTIONS = list(Action)


@dataclass
class Given:
    """Records in memory."""

    parts: Sequence[Record | Unreadable]

    def records(self) -> Iterator[Record | Unreadable]:
        """Yield them."""
        return iter(self.parts)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """A kept assessment, decided by the default plan."""
    listing = draw(listings())
    found = draw(findings(listing))
    assessment = Assessment.of(found, plan_of(DEFAULT).plan().decide(found, listing))
    day = draw(st.sampled_from(["2026-01-01", "2026-01-02", ""]))
    kept = orjson.loads(assessment.model_dump_json())
    return Record(day, orjson.loads(listing.model_dump_json(exclude_defaults=True)), kept)


@given(st.data(), plan_texts(), st.none() | st.floats(0, 1), st.booleans())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_replay_gives_the_action_that_deciding_live_gives(
    data: st.DataObject, text: str, match: float | None, removed: bool
) -> None:
    listing = data.draw(listings())
    found = data.draw(findings(listing))
    plan, circumstances = plan_of(text).plan(), Circumstances(match, removed)
    live = plan.decide(found, listing, circumstances)

    # As the store keeps them: JSON texts, the listing without its defaults.
    kept = orjson.loads(Assessment.of(found, live).model_dump_json())
    seller = orjson.loads(listing.model_dump_json(exclude_defaults=True))
    outcome = replayed(plan, facts_of(kept, seller, circumstances))

    assert _ACTIONS[outcome.action] == live.action
    assert outcome.queue == live.queue
    assert list(outcome.rules) == live.rules
    assert list(outcome.background) == [rule.id for rule in live.background]
    assert outcome == remembered(kept) or not live.fired or live.action != live.fired[0].action


@given(st.lists(records(), min_size=1, max_size=6), st.integers(0, 6))
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_the_plan_that_decided_changes_nothing(some: list[Record], cut: int) -> None:
    tally = replay([Given(some[:cut]), Given(some[cut:])], Setup(plan_of(DEFAULT)))
    figures = summary(tally, Compared(plan_of(DEFAULT).plan()))

    assert figures["actions"]["changed"] == 0
    assert figures["actions"]["before"] == figures["actions"]["after"]
    assert figures["changes"] == []
    for row in figures["rules"]:
        assert row["fired"][0] == row["fired"][1]


@given(st.lists(records(), min_size=1, max_size=6), plan_texts(), st.integers(0, 6))
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_counts_do_not_depend_on_how_the_history_is_cut(some: list[Record], text: str, cut: int) -> None:
    setup = Setup(plan_of(text))
    whole, parts = replay([Given(some)], setup), replay([Given(some[:cut]), Given(some[cut:])], setup)
    compared = Compared(plan_of(text).plan(), per_day=100)
    one, other = summary(whole, compared), summary(parts, compared)

    for harm, same in zip(one.pop("harm"), other.pop("harm"), strict=True):
        assert harm["missed"] == pytest.approx(same["missed"], abs=0.01)
        assert harm["held_wrongly"] == pytest.approx(same["held_wrongly"], abs=0.01)
    assert one == other
    assert sum(whole.total) == whole.n == len(some)
    for dimension in ("level", "hazard", "category", "language"):
        assert sum(sum(matrix) for matrix in whole.slices[dimension].values()) == len(some)


def record(risk_score: float = 0.9, level: str = "high", day: str = "2026-01-01", **decision: Any) -> Record:
    """A record of few words."""
    assessment = {"id": "a" * 32, "risk_level": level, "risk_score": risk_score, "p_unsafe": 0.5, "decision": decision}
    return Record(day, {"id": "1", "title": "Lamp"}, assessment)


class TestFigures:
    def test_harm_is_the_sum_of_probabilities(self) -> None:
        looser = DEFAULT.replace("action: hold_for_review", "action: publish")
        some = [
            record(0.9, action="hold_for_review"),
            record(0.6, action="hold_for_review"),
            record(0.1, "low", action="publish"),
        ]
        tally = replay([Given(some)], Setup(plan_of(looser)))
        before, after = summary(tally, Compared(plan_of(looser).plan()))["harm"]

        assert (before["missed"], before["held_wrongly"]) == (0.1, 0.5)
        assert (after["missed"], after["held_wrongly"]) == (1.6, 0.0)

    def test_work_is_items_a_day_times_minutes(self) -> None:
        some = [record(day="2026-01-01"), record(day="2026-01-10"), record(level="low")]
        tally = replay([Given(some)], Setup(plan_of(DEFAULT)))
        (row,) = [
            row for row in summary(tally, Compared(plan_of(DEFAULT).plan()))["queues"] if row["queue"] == "safety"
        ]
        assert row["items_a_day"] == [0.2, 0.2]
        assert row["minutes_a_day"] == [1.6, 1.6]

        (row,) = [
            row
            for row in summary(tally, Compared(plan_of(DEFAULT).plan(), per_day=300))["queues"]
            if row["queue"] == "safety"
        ]
        assert row["items_a_day"] == [200, 200]

    def test_thresholds_come_from_the_section_and_from_conditions_and_are_counted(self) -> None:
        scores = [0.1, 0.3, 0.34, 0.35, 0.9]
        tally = replay([Given([record(score) for score in scores])], Setup(plan_of(DEFAULT)))
        rows = {row["label"]: row for row in summary(tally, Compared(plan_of(DEFAULT).plan()))["thresholds"]}

        assert rows["threshold find-high-or-serious"]["reached"] == 4
        assert rows["change infants-in-doubt (risk_score 0.4)"]["reached"] == 1
        assert sum(rows["threshold find-high-or-serious"]["histogram"]) == 5

    def test_another_plan_can_be_the_side_before(self) -> None:
        other = DEFAULT.replace("action: hold_for_review", "action: block")
        tally = replay([Given([record(action="publish")])], Setup(plan_of(other), plan_of(DEFAULT)))
        figures = summary(tally, Compared(plan_of(other).plan(), plan_of(DEFAULT).plan()))

        assert figures["before"] == plan_of(DEFAULT).plan().id
        assert (figures["actions"]["stricter"], figures["actions"]["looser"]) == (1, 0)
        (change,) = figures["changes"]
        assert (change["before"], change["after"], change["rules"]) == ("hold_for_review", "block", ["level-high"])

    def test_a_record_without_a_decision_counts_as_unchanged(self) -> None:
        tally = replay([Given([record()])], Setup(plan_of(DEFAULT)))
        assert (tally.undecided, tally.n) == (1, 1)
        assert summary(tally, Compared(plan_of(DEFAULT).plan()))["actions"]["changed"] == 0

    def test_what_cannot_be_read_is_counted_and_told(self) -> None:
        broken = record()._replace(assessment={"hazards": 7})
        some = [record(action="publish"), Unreadable("line 2", "is no JSON"), broken]
        tally = replay([Given(some)], Setup(plan_of(DEFAULT)))

        assert (tally.n, tally.unreadable) == (1, 2)
        assert tally.faults[0] == "line 2: is no JSON"
        assert "listing '1'" in tally.faults[1]

    def test_a_history_without_a_single_readable_record_is_an_error(self) -> None:
        with pytest.raises(InputError, match=r"no assessment could be replayed: x: bad"):
            replay([Given([Unreadable("x", "bad")])], Setup(plan_of(DEFAULT)))

    def test_a_plan_that_is_not_in_order_is_an_error_at_once(self) -> None:
        with pytest.raises(InputError, match=r"plan\.yaml"):
            replay([Given([record()])], Setup(plan_of("name: x")))

    def test_the_tally_stays_small(self) -> None:
        some = [
            record(i / 5000, action="publish")._replace(
                listing={"id": str(i), "title": "x", "target_countries": [f"{i:04}"]}
            )
            for i in range(2_000)
        ]
        tally = replay([Given(some)], Setup(plan_of(DEFAULT)))

        assert len(tally.changes) == 200
        assert min(change.risk_score for change in tally.changes) >= 0.36
        assert len(tally.slices["country"]) == 501
        assert sum(map(sum, tally.slices["country"].values())) == 2_000


class TestFiles:
    @pytest.fixture
    def lines(self) -> list[bytes]:
        rows = [record(i / 10_000, day="", action="publish")._asdict() for i in range(10_000)]
        return [
            orjson.dumps(
                {
                    "created_at": "2026-01-02T00:00:00Z",
                    "listing": row["listing"] | {"id": str(i), "title": "ö" * (i % 60)},
                    "assessment": row["assessment"],
                }
            )
            + b"\n"
            for i, row in enumerate(rows)
        ]

    @given(parts=st.integers(1, 9), blank=st.booleans())
    @settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_shards_hold_every_line_once_and_in_order(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: int, blank: bool
    ) -> None:
        monkeypatch.setattr("models.simulation.records._LEAST_SHARD", 50)
        rows = [b'{"listing": {"id": "%d%s"}, "assessment": {}}\n' % (i, b"x" * (i % 7)) for i in range(40)]
        if blank:
            rows.insert(5, b"\n")
        path = tmp_path / "kept.jsonl"
        path.write_bytes(b"".join(rows).rstrip(b"\n"))
        shards = file_shards(path, parts)
        read = [found for shard in shards for found in shard.records()]

        assert len(shards) == parts
        assert [r.listing["id"].rstrip("x") for r in read if isinstance(r, Record)] == [str(i) for i in range(40)]

    def test_processes_give_what_one_process_gives(
        self, tmp_path: Path, lines: list[bytes], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("models.simulation.records._LEAST_SHARD", 50_000)
        path, setup = tmp_path / "kept.jsonl", Setup(plan_of(DEFAULT))
        path.write_bytes(b"".join(lines))
        shards, seen = file_shards(path, 3), []
        several = replay(shards, setup, workers=2, changes=tmp_path / "several.jsonl", progress=seen.append)
        one = replay(file_shards(path, 1), setup, changes=tmp_path / "one.jsonl")

        assert len(shards) == 3
        assert sum(seen) == several.n == 10_000
        assert (several.total, several.slices, several.after) == (one.total, one.slices, one.after)
        assert (tmp_path / "several.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()
        assert len((tmp_path / "one.jsonl").read_bytes().splitlines()) == sum(one.total) - sum(
            one.total[:: ACTIONS + 1]
        )
        assert sorted(p.name for p in tmp_path.iterdir()) == ["kept.jsonl", "one.jsonl", "several.jsonl"]

    def test_a_gzip_file_is_one_shard(self, tmp_path: Path, lines: list[bytes]) -> None:
        path = tmp_path / "kept.jsonl.gz"
        path.write_bytes(gzip.compress(b"".join(lines[:50])))
        (shard,) = file_shards(path, 8)
        tally: Tally = replay_shard(shard, Setup(plan_of(DEFAULT)))

        assert tally.n == 50
        assert tally.days == {"2026-01-02": 50}
        assert holds_assessments(path)

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            (b"{", "is no JSON"),
            (b"[]", "has no object 'assessment'"),
            (b'{"assessment": {}}', "has no object 'listing'"),
            (b'{"title": "a lamp"}', "has no object 'assessment'"),
        ],
    )
    def test_a_line_of_another_shape_says_what_is_missing(self, line: bytes, message: str) -> None:
        found = read_record(line, "file, byte 7")
        assert isinstance(found, Unreadable)
        assert message in found.message

    def test_a_file_that_is_none_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no such file"):
            file_shards(tmp_path / "x.jsonl", 1)
        with pytest.raises(InputError, match=r"\.jsonl"):
            file_shards(tmp_path / "x.csv", 1)
        assert not holds_assessments(tmp_path / "x.jsonl")


def test_the_summary_is_plain_json(tmp_path: Path) -> None:
    tally = replay([Given([record(action="publish")])], Setup(plan_of(DEFAULT)))
    figures = summary(tally, Compared(plan_of(DEFAULT).plan()))
    assert json.loads(json.dumps(figures)) == figures
