"""The sentences of an explanation in the reader's language, from the parts that the record holds.

The record's own sentences are English and stay as they are; in English the ones here are equal to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from models.domain.assessment import Scenario
from models.domain.explanation import Explanation, Neighbour, Removal, WhatIf
from models.domain.risk import RiskLevel

_FIXED = re.compile(r"^(?P<code>[a-z-]+): (?P<said>.+?)(?P<rest> \((?:language|familiarity) [^)]*\))?$")
_REST = re.compile(r"^ \((?P<what>language|familiarity) (?P<value>[^)]*)\)$")
_NO_PROFILE = re.compile(r"^The product causes harm through: (?P<hazard>[^.]+)\.$")
_PLAN_CHANGED = re.compile(
    r"^the plan has changed since, from (?P<before>\S+) to (?P<now>\S+): actions here follow the plan in force$"
)


@dataclass(frozen=True)
class Wording:
    """Words what an explanation says.

    Parameters
    ----------
    said : callable
        Translates a text; gives it back where it has no translation.
    kind_name : callable
        Gives the name of a product kind, from its id and its English name.
    """

    said: Callable[[str], str]
    kind_name: Callable[[str, str], str] = lambda kind, name: name  # noqa: ARG005

    def plain(self, word: str) -> str:
        """Return a word of the house."""
        return self.said(str(word).replace("_", " "))

    def scenario_line(self, scenario: Scenario | None, label: str) -> str:
        """Return hazard, who is hurt, severity, probability band, matrix cell and sensitivity as one line.

        Parameters
        ----------
        label : str
            Of the hazard, in English.
        """
        said = self.said
        if scenario is None:
            return said("No scenario of harm stands out: an everyday product as far as the listing tells.")
        severity = {
            1: said("first aid"),
            2: said("a visit to a doctor"),
            3: said("hospital"),
            4: said("death or lasting harm"),
        }
        steps = {
            "severity_up": said("one step more severe would be %(level)s"),
            "severity_down": said("one step less severe would be %(level)s"),
            "probability_up": said("one band more probable would be %(level)s"),
            "probability_down": said("one band less probable would be %(level)s"),
        }
        changes = [
            step % {"level": self.plain(level.value)}
            for name, step in steps.items()
            if (level := getattr(scenario.sensitivity, name)) != scenario.level
        ]
        hazard = self.said(scenario.risk_type)
        line = said(
            "%(hazard)s, %(who)s: severity %(severity)s (%(harm)s), %(odds)s (band %(band)s) → %(level)s risk;"
            " %(change)s."
        )
        return line % {
            "hazard": label if hazard == scenario.risk_type else hazard[:1].upper() + hazard[1:],
            "who": self.consumers(scenario.consumers),
            "severity": scenario.severity,
            "harm": severity[scenario.severity],
            "odds": self.odds(scenario.probability),
            "band": scenario.band,
            "level": self.plain(scenario.level.value),
            "change": "; ".join(changes) or said("stable one step of severity or probability up or down"),
        }

    def consumers(self, group: str) -> str:
        """Return who a scenario is about."""
        said = self.said
        groups = {
            "very_vulnerable": said("very vulnerable consumers (such as children under 3)"),
            "vulnerable": said("vulnerable consumers (such as children from 3 to 14)"),
            "other": said("any consumer"),
        }
        return groups.get(group, group)

    def scenario(self, sentence: str) -> str:
        """Return how a product of some kind does harm, as the knowledge base says it in English."""
        found = _NO_PROFILE.match(sentence)
        if found is None:
            return self.said(sentence)
        return self.said("The product causes harm through: %(hazard)s.") % {"hazard": self.plain(found["hazard"])}

    def cue(self, name: str) -> str:
        """Return the name of a cue of the knowledge base."""
        return self.said(name.replace("-", " "))

    def odds(self, probability: float) -> str:
        """Return how many are harmed."""
        if probability <= 0:
            return self.said("harm for nobody")
        if probability > 0.5:
            return self.said("harm for about %(n)s in 100") % {"n": f"{100 * probability:.0f}"}
        return self.said("harm for about 1 in %(n)s") % {"n": f"{float(f'{1 / probability:.2g}'):.0f}"}

    def claim(self, level: RiskLevel) -> str:
        """Return what the words behind a level are weighed for."""
        if level is RiskLevel.NONE:
            return self.said("the product is an everyday one, of a kind without a scenario of harm")
        return self.said("the product is of a kind whose level is %(level)s or higher") % {
            "level": self.plain(level.value)
        }

    def what_if(self, explanation: Explanation, found: WhatIf) -> str:
        """Return the sentence on the smallest change that lowers the action."""
        said, smallest = self.said, found.smallest
        level, action = self.plain(explanation.risk_level.value), self.plain(explanation.action.value)
        if smallest is not None:
            return self._without(smallest, explanation, level, action)
        if explanation.action.rank == 0:
            return said("The action is already the least strict one.")
        if not found.removals:
            return said("No word of the listing speaks for the level.")
        stays = said("Even without all the phrases that were left out the answer stays %(level)s (%(action)s).")
        return stays % {"level": level, "action": action}

    def _without(self, smallest: Removal, explanation: Explanation, level: str, action: str) -> str:
        words = dict.fromkeys(span.text.lower() for span in smallest.removed)
        quoted = self.said(" and ").join(f"“{text}”" for text in words)
        if smallest.risk_level == explanation.risk_level:
            line = self.said(
                "Without %(words)s the level stays %(level)s, and the action from %(action)s to %(new_action)s."
            )
        else:
            line = self.said(
                "Without %(words)s the level falls from %(level)s to %(new_level)s, and the action from %(action)s to"
                " %(new_action)s."
            )
        return line % {
            "words": quoted,
            "level": level,
            "new_level": self.plain(smallest.risk_level.value),
            "action": action,
            "new_action": self.plain(smallest.action.value),
        }

    def why(self, item: Neighbour) -> str:
        """Return why a known item is near."""
        kinds = {
            "alert": self.said("official alert"),
            "review": self.said("reviewed listing"),
            "written": self.said("listing written from the knowledge base"),
        }
        reasons = [self.said("%(type)s, similarity %(n)s") % {"type": kinds[item.type], "n": f"{item.similarity:.2f}"}]
        if item.kind:
            reasons.append(self.said("same kind of product (%(kind)s)") % {"kind": item.kind})
        if item.shared:
            words = ", ".join(f"“{word}”" for word in item.shared)
            reasons.append(self.said("both say %(words)s") % {"words": words})
        return "; ".join(reasons)

    def note(self, text: str) -> str:
        """Return a note of the server or the model; one that is not known stays as it is."""
        changed = _PLAN_CHANGED.match(text)
        if changed is not None:
            line = self.said(
                "the plan has changed since, from %(before)s to %(now)s: actions here follow the plan in force"
            )
            return line % changed.groupdict()
        found = _FIXED.match(text)
        if found is None:
            return self.said(text)
        return f"{self.said(found['code'])}: {self.said(found['said'])}{self._rest(found['rest'] or '')}"

    def _rest(self, rest: str) -> str:
        found = _REST.match(rest)
        return rest if found is None else f" ({self.said(found['what'])} {found['value']})"

    def known_notes(self) -> tuple[str, ...]:
        """Return what a model may note, translated."""
        said = self.said
        return (
            said("language-not-covered"),
            said("little of the text is known to the model"),
            said("no-text"),
            said("the listing has no words to judge"),
            said("out-of-scope"),
            said("like nothing that the model has learnt"),
            said("language"),
            said("familiarity"),
            said("the text was longer than the encoder reads"),
            said("All of these were written from the knowledge base; none is a real product."),
            said("The model has no index of known items: train it with examples, or serve it with a table of alerts."),
        )
