"""Any assessment, any listing, any condition, any plan."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import strategies as st

from models.domain.action import Action
from models.domain.risk import CONSUMER_GROUPS, RiskLevel
from models.plan.plan import Plan
from models.plan.reading import parse_plan

HAZARDS = ("choking", "fire", "damage to sight")
KINDS = ("laser-pointer", "t-shirt", "magnetic-ball-set")
CUES = ("button-cell", "for-children")
COUNTRIES = ("DE", "FR", "US")

shares = st.floats(0, 1)
_words = st.text("ab ", max_size=3)


@st.composite
def assessments(draw: st.DrawFn) -> dict[str, Any]:
    """An assessment as JSON gives it; older ones lack keys."""
    level = draw(st.sampled_from(RiskLevel))
    whole = {
        "risk_level": level.value,
        "level_probabilities": {name.value: draw(shares) for name in RiskLevel},
        "risk_score": draw(shares),
        "p_unsafe": draw(shares),
        "hazards": [
            {
                "risk_type": name,
                "probability": draw(shares),
                "given_unsafe": draw(shares),
                "flagged": draw(st.booleans()),
            }
            for name in HAZARDS
        ],
        "scenario": None
        if level == RiskLevel.NONE
        else {
            "risk_type": draw(st.sampled_from(HAZARDS)),
            "severity": draw(st.integers(1, 4)),
            "consumers": draw(st.sampled_from(CONSUMER_GROUPS)),
        },
        "kinds": [
            {"kind": kind, "category": "Toys", "probability": draw(shares)}
            for kind in draw(st.lists(st.sampled_from(KINDS), unique=True, max_size=3))
        ],
        "cues": [
            {"cue": cue, "negated": draw(st.booleans())} for cue in draw(st.lists(st.sampled_from(CUES), max_size=3))
        ],
        "language": {
            "code": draw(st.sampled_from(["en", "de", "und"])),
            "confidence": draw(shares),
            "covered": draw(st.booleans()),
        },
        "abstains": draw(st.lists(st.sampled_from(["no-text: nothing", "language-not-covered: te"]), max_size=2)),
        "warning_languages": draw(st.lists(st.sampled_from(["de", "fr", "en"]), max_size=2)),
    }
    lost = draw(st.sets(st.sampled_from(sorted(set(whole) - {"risk_level"})), max_size=2))
    return {key: value for key, value in whole.items() if key not in lost}


_operators = st.fixed_dictionaries(
    {}, optional={"name": _words, "address": st.sampled_from(["1 Quay, Dublin, IE", "Shenzhen"]), "email": _words}
)
listings = st.fixed_dictionaries(
    {"title": _words},
    optional={
        "brand": _words,
        "gtin": _words,
        "category": _words,
        "target_countries": st.lists(st.sampled_from([*COUNTRIES, "de"]), max_size=3),
        "seller": st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {},
                optional={
                    "prior_warnings": st.integers(0, 3),
                    "removals": st.integers(0, 5),
                    "suspended": st.booleans(),
                },
            ),
        ),
        "manufacturer": st.one_of(st.none(), _operators),
        "responsible_person": st.one_of(st.none(), _operators),
    },
)

_signs = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
_numbers = st.sampled_from(["0", "0.2", "0.5", "0.8", "1"])
_counts = st.sampled_from(["0", "1", "2", "3"])
_levels = st.sampled_from([f'"{level.value}"' for level in RiskLevel])
_some_levels = st.lists(_levels, min_size=1, max_size=3).map(lambda some: f"[{', '.join(some)}]")
_quoted_kinds = st.sampled_from([f'"{kind}"' for kind in KINDS])
_same = st.sampled_from(["==", "!="])
_inside = st.sampled_from(["in", "not in"])

_comparisons = st.one_of(
    st.tuples(st.sampled_from(["risk_score", "p_unsafe", "kind_probability", 'hazard("fire")']), _signs, _numbers),
    st.tuples(st.sampled_from(["seller_removals", "seller_warnings", "count(flagged)"]), _signs, _counts),
    st.tuples(st.just("severity"), _signs, st.sampled_from(["1", "2", "4"])),
    st.tuples(st.sampled_from(["level", "model_level"]), _signs, _levels),
    st.tuples(st.just("level"), _inside, _some_levels),
    st.tuples(st.just("kind"), _same, _quoted_kinds),
    st.tuples(
        st.just("kind"), _inside, st.lists(_quoted_kinds, min_size=1, max_size=2).map(lambda k: f"[{', '.join(k)}]")
    ),
    st.tuples(st.sampled_from(['"fire"', '"choking"']), _inside, st.just("flagged")),
    st.tuples(st.just("seller_suspended"), _same, st.sampled_from(["true", "false"])),
).map(" ".join)
_flags = st.sampled_from(
    [
        "abstains",
        "removed_before",
        "targets_eea",
        "known(seller_removals)",
        "known(kind)",
        'any_of(countries, ["DE"])',
        "true",
    ]
)


def _joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    word = st.sampled_from(["and", "or"])
    return st.one_of(
        parts.map(lambda part: f"not ({part})"),
        st.tuples(parts, word, parts).map(lambda three: f"({three[0]}) {three[1]} ({three[2]})"),
    )


conditions = st.recursive(st.one_of(_comparisons, _flags), _joined, max_leaves=6)
"""Conditions in order, of every type of comparison."""


@st.composite
def rules(draw: st.DrawFn, name: str = "r") -> dict[str, Any]:
    """A rule as it stands in a file."""
    return {
        "id": name,
        "status": draw(st.sampled_from(["live", "live", "background", "draft", "expired"])),
        "when": draw(conditions),
        "action": draw(st.sampled_from(Action)).value,
        "reason": "because",
        **draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "queue": st.sampled_from(["first", "second"]),
                    "due": st.sampled_from(["24 hours", "1 working day", "3 working days"]),
                    "obligations": st.just(["tell"]),
                },
            )
        ),
    }


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    """A plan as its file holds it; some of its conditions can never be true, which parsing refuses."""
    count = draw(st.integers(0, 5))
    return {
        "name": "any",
        "version": 1,
        "identify": {"prohibited_kinds": [{"kind": KINDS[0], "probability": draw(shares), "reason": "R"}]},
        "classify": {
            "changes": [
                {
                    "id": f"c{i}",
                    "when": draw(conditions),
                    draw(st.sampled_from(["at_least", "at_most"])): draw(st.sampled_from(RiskLevel)).value,
                    "reason": "R",
                }
                for i in range(draw(st.integers(0, 2)))
            ]
        },
        "mitigate": {
            "otherwise": draw(st.sampled_from(Action)).value,
            "queues": {"first": {"who": "W", "minutes": 5}, "second": {"who": "W", "minutes": 5}},
            "obligations": {"tell": {"who": "seller", "text": "T", "missing": "traceability"}},
            "rules": [draw(rules(f"r{i}")) for i in range(count)],
        },
    }


def made(raw: dict[str, Any]) -> Plan | None:
    """The plan of a file's content, None where it has an error."""
    return parse_plan(yaml.safe_dump(raw, sort_keys=False)).plan
