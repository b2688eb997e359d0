"""Rules that read Safety Gate risk types from the hazard sentence of a US recall. Weak labels: rules, not inspectors.

Each rule is a pattern over the English sentence, the risk types it stands for, and the reason. The names are those of
the Safety Gate taxonomy; another taxonomy reads them through its own aliases.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class HazardRule:
    """One row of the rule table.

    Parameters
    ----------
    pattern : re.Pattern
        Searched in the sentence, case ignored.
    risk_types : tuple of str
        What it stands for.
    why : str
        The reason, for whoever reviews the table.
    """

    pattern: re.Pattern[str]
    risk_types: tuple[str, ...]
    why: str


def _rule(pattern: str, *risk_types: str, why: str) -> HazardRule:
    return HazardRule(re.compile(pattern, re.IGNORECASE), risk_types, why)


RULES = (
    _rule(r"\bfires?\b|\bignit|flammab|\bflames?\b(?!-)", "fire", why="fire named, or a standard against ignition"),
    _rule(r"\bburn(s|ed|ing)?\b|\bscald|\bfrostbite", "burns", why="burns by heat, liquid, chemical or cold"),
    _rule(r"(?<!-)\bshock(s|ed)?\b(?!\s+absor)|electrocut", "electric shock", why="electric, unless it is an absorber"),
    _rule(r"\bchok(e|es|ing)\b|small parts", "choking", why="named, or the small-parts cylinder of the toy standard"),
    _rule(r"suffocat", "suffocation", why="named"),
    _rule(r"strangulat|strangle", "strangulation", why="named"),
    _rule(r"asphyxia|carbon monoxide|\bCO poisoning", "asphyxiation", why="carbon monoxide and other lack of oxygen"),
    _rule(r"entrap", "entrapment", why="named"),
    _rule(r"lacerat|\bcuts?\b|amputat|\bsharp\b", "cuts", why="lacerations are the CPSC's word for cuts"),
    _rule(r"drown", "drowning", why="named"),
    _rule(
        r"poison|\blead\b(?! to)|cadmium|phthalat|\btoxic|chemical|child[- ]resistant|button (cell|batter)|coin batter"
        r"|allergic|irritat|\bsodium|\bcaustic|corrosive",
        "chemical",
        why="substances, closures that guard them, and batteries that burn from inside when swallowed",
    ),
    _rule(r"bacteri|\bmou?ld\b|microb|contaminat|pathogen", "microbiological", why="germs and mould"),
    _rule(r"hearing", "damage to hearing", why="named"),
    _rule(
        r"\b(eye|vision|sight)\b.{0,20}\b(injur|damage|loss|hazard)|damage to the eyes?|eyesight"
        r"|\bblind(ness|ed)\b|loss of (vision|sight)",
        "damage to sight",
        why="harm to the eyes; eye irritation is chemical, blinds are blinds",
    ),
    _rule(
        r"\bfall(s|ing)?\b|tip-?\s?over|\bcrash(?!worth)|\bimpact|\bcollaps|collision|projectile|\baccident"
        r"|lose control|loss of control|\bingest|swallow|explo(d|s)|ruptur|fracture|puncture|abrasion|\bcrush"
        r"|\bhead injur|injury hazard|rollover|\bstruck\b|\btrip\b",
        "injuries",
        why="bodily harm without a type of its own: falls, crashes, parts that hit, magnets swallowed, bursting",
    ),
)
"""The table, in the order in which risk types are given."""


_HARM = re.compile(r"injur|\bhurt\b|pinch", re.IGNORECASE)
"""Harm in general. It counts only where no rule fires: "posing a fire hazard and a risk of injury" is about fire."""


def hazards_in(sentence: str) -> list[str]:
    """Return the risk types that the rules find in a hazard sentence, each once.

    Examples
    --------
    >>> hazards_in("The charger can overheat, posing fire and burn hazards.")
    ['fire', 'burns']
    """
    found: dict[str, None] = {}
    for rule in RULES:
        if rule.pattern.search(sentence):
            found.update(dict.fromkeys(rule.risk_types))
    if not found and _HARM.search(sentence):
        return ["injuries"]
    return list(found)
