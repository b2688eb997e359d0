"""Microseconds of one core to decide on a listing with 200 rules, and the same with the plan that ships."""

from __future__ import annotations

import json
import time
from itertools import cycle, islice

import numpy as np
import yaml

from models.domain.resources import datasets_dir
from models.domain.risk import RiskLevel
from models.domain.taxonomy import load_taxonomy
from models.plan.facts import facts_of
from models.plan.plan import Plan
from models.plan.reading import load_plan, parse_plan

RULES, LISTINGS = 200, 20_000
CONDITIONS = (
    'level >= "high" and hazard("{hazard}") >= 0.{n:02d}',
    'risk_score >= 0.{n:02d} and (kind == "laser-pointer" or "button-cell" in cues) and not abstains',
    'any_of(countries, ["DE", "FR", "PL"]) and not traceability_complete and p_unsafe > 0.{n:02d}',
    '"{hazard}" in flagged and consumers == "very_vulnerable" and severity >= 3 and risk_score < 0.{n:02d}',
    "seller_removals > {n} and seller_warnings >= 1 and count(countries_without_warnings) > 0",
)


def main() -> None:
    """Print a table."""
    rng = np.random.default_rng(0)
    listings = [json.loads(line) for line in (datasets_dir() / "samples" / "listings.jsonl").open(encoding="utf-8")]
    names = load_taxonomy().names
    assessments = [assessment(rng, names) for _ in range(2_000)]
    columns = "".join(f" {name:>10s}" for name in ("facts", "rules", "record", "whole", "p99"))
    print(f"{'plan':22s} {'count':>5s}{columns}  (medians, and p99 of the whole)")
    for name, plan in (("the plan that ships", load_plan()), ("200 rules", long_plan(names))):
        facts, judge, record = [], [], []
        for raw, listing in islice(zip(cycle(assessments), cycle(listings)), LISTINGS):
            begun = time.thread_time()
            found = facts_of(raw, listing)
            known = time.thread_time()
            verdict = plan.judge(found)
            judged = time.thread_time()
            plan.worded(verdict, found)
            worded = time.thread_time()
            facts.append(known - begun)
            judge.append(judged - known)
            record.append(worded - judged)
        whole = np.array(facts) + judge + record
        figures = [*(float(np.median(part)) for part in (facts, judge, record, whole)), float(np.quantile(whole, 0.99))]
        print(f"{name:22s} {len(plan.rules):5d}" + "".join(f" {1e6 * figure:7.0f} us" for figure in figures))


def long_plan(names: tuple[str, ...]) -> Plan:
    """A plan of 200 rules, none of which is like another."""
    rules = [
        {
            "id": f"rule-{i}",
            "when": CONDITIONS[i % len(CONDITIONS)].format(hazard=names[i % len(names)], n=10 + i % 80),
            "action": ("publish_with_warning", "request_information", "hold_for_review")[i % 3],
            "legal_basis": ["GPSR Article 22(9)"],
            "reason": "A reason that a person reads.",
        }
        for i in range(RULES)
    ]
    text = yaml.safe_dump({"name": "long", "version": 1, "mitigate": {"otherwise": "publish", "rules": rules}})
    reading = parse_plan(text)
    if reading.plan is None:
        raise SystemExit(reading.errors[0].line_for("long plan"))
    return reading.plan


def assessment(rng: np.random.Generator, names: tuple[str, ...]) -> dict[str, object]:
    """Invent an assessment as the store keeps it."""
    return {
        "risk_level": str(rng.choice([level.value for level in RiskLevel])),
        "level_probabilities": {level.value: 0.2 for level in RiskLevel},
        "risk_score": rng.random(),
        "p_unsafe": rng.random(),
        "hazards": [
            {
                "risk_type": n,
                "probability": rng.random(),
                "given_unsafe": rng.random(),
                "flagged": bool(rng.random() > 0.8),
            }
            for n in names
        ],
        "scenario": {"risk_type": names[0], "severity": int(rng.integers(1, 5)), "consumers": "very_vulnerable"},
        "kinds": [
            {"kind": kind, "category": "Toys", "probability": rng.random()} for kind in ("laser-pointer", "t-shirt")
        ],
        "cues": [{"cue": "button-cell", "negated": False}],
        "language": {"code": "en", "confidence": 0.9, "covered": True},
        "abstains": [],
        "warning_languages": ["de"],
    }


if __name__ == "__main__":
    main()
