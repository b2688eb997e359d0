"""Plans that are broken, each with what must be said about it: a table for the tests."""

# ruff: noqa: E501  (a finding is one line)

from __future__ import annotations

from dataclasses import dataclass

HEAD = "name: p\nversion: 1\nmitigate:\n  otherwise: publish\n  rules:\n"
"""Five lines; a rule that follows begins on line 6."""


@dataclass(frozen=True)
class Broken:
    """A plan and the finding that it must give.

    Parameters
    ----------
    finding : str
        ``line:column: severity: message (hint)``.
    """

    name: str
    text: str
    finding: str


def rule(when: str, more: str = "") -> str:
    """A plan with one rule; its condition begins in column 22 of line 6."""
    return f"{HEAD}    - {{id: a, when: '{when}', action: block, reason: R{more}}}\n"


BROKEN = [
    # What is no plan
    Broken(
        "no YAML",
        "name: [p",
        "2:1: error: not readable as YAML: did not find expected ',' or ']' (quote a value that holds a colon and a space, or begins with a quote; indent by spaces)",
    ),
    Broken("nothing", "# a comment\n", "1:1: error: the file is empty (a plan has name, version and mitigate)"),
    Broken("a list", "- x\n", "1:1: error: a plan is a mapping of sections (begin with name: ...)"),
    Broken("a key twice", "name: p\nname: q\n", "2:1: error: key 'name' stands twice (keep one of them)"),
    Broken(
        "an alias",
        "name: p\nversion: 1\nidentify: &a {}\nassess: *a\n",
        "3:11: error: anchors and aliases are not read (write the value out)",
    ),
    Broken(
        "a tab",
        "name: p\nmitigate:\n\trules: []\n",
        "3:1: error: not readable as YAML: found character that cannot start any token (quote a value that holds a colon and a space, or begins with a quote; indent by spaces)",
    ),
    # Shape
    Broken(
        "no mitigate",
        "name: p\nversion: 1\n",
        "1:1: error: key 'mitigate' is missing (add it: what is done; at least otherwise and rules)",
    ),
    Broken(
        "no otherwise",
        "name: p\nversion: 1\nmitigate:\n  rules: []\n",
        "4:3: error: key 'otherwise' is missing (add it: where no live rule fires)",
    ),
    Broken(
        "rules in the old place",
        "name: p\nversion: 1\nmitigate: {otherwise: publish, rules: []}\nrules: []\n",
        "4:1: error: key 'rules' is not known here (rules stand under mitigate: rules)",
    ),
    Broken(
        "a misspelt section",
        "name: p\nversion: 1\nmitigat: {}\nmitigate: {otherwise: publish, rules: []}\n",
        "3:1: error: key 'mitigat' is not known here (did you mean 'mitigate'?)",
    ),
    Broken(
        "a misspelt key of a rule",
        f"{HEAD}    - {{id: a, wen: 'true', when: 'true', action: block, reason: R}}\n",
        "6:15: error: key 'wen' is not known here (did you mean 'when'?)",
    ),
    Broken(
        "an unknown action",
        f"{HEAD}    - {{id: a, when: 'true', action: blok, reason: R}}\n",
        "6:37: error: 'blok' is no value of 'action' (did you mean 'block'?)",
    ),
    Broken(
        "an unknown status",
        rule("abstains", ", status: alive"),
        "6:67: error: 'alive' is no value of 'status' (did you mean 'live'?)",
    ),
    Broken(
        "an id with spaces",
        f"{HEAD}    - {{id: My rule, when: abstains, action: block, reason: R}}\n",
        "6:12: error: 'My rule' is no id (small letters, digits and single hyphens, such as level-high)",
    ),
    Broken(
        "no reason",
        f"{HEAD}    - {{id: a, when: abstains, action: block}}\n",
        "6:7: error: key 'reason' is missing (add it: for people, in one sentence)",
    ),
    Broken(
        "an unreadable due",
        rule("abstains", ", due: 3 weeks"),
        "6:64: error: '3 weeks' is no length of time (write a number and a unit: 24 hours, 2 days, 3 working days)",
    ),
    Broken(
        "an impossible date",
        rule("abstains", ", expires: 2026-02-30"),
        "6:68: error: '2026-02-30' is no date (write it as 2026-12-31)",
    ),
    Broken(
        "a share above one",
        "name: p\nversion: 1\nassess: {prior: {p_unsafe: 5, why: W}}\nmitigate: {otherwise: publish, rules: []}\n",
        "3:28: error: 5 is out of range (give at most 1)",
    ),
    Broken(
        "rules no list",
        "name: p\nversion: 1\nmitigate: {otherwise: publish, rules: {a: 1}}\n",
        "3:39: error: 'rules' is no list (write [ ... ], or lines that begin with a hyphen)",
    ),
    Broken(
        "a rule no mapping",
        f"{HEAD}    - block\n",
        "6:7: error: item 1 is no mapping (write keys and values: id, status, expires, when, action, obligations, queue, due, legal_basis, owner, reason, reason_code)",
    ),
    # Words of the language
    Broken("one equals sign", rule('level = "high"'), "6:28: error: '=' is no comparison (write == to compare)"),
    Broken("an ampersand", rule("abstains && prohibited"), "6:31: error: '&' is not known (write 'and')"),
    Broken("a chain", rule("0.2 < risk_score < 0.4"), "6:39: error: comparisons do not chain (write a <= x and x < b)"),
    Broken("no closing parenthesis", rule("(abstains or prohibited"), "6:22: error: '(' is not closed (add ')')"),
    Broken("no closing quote", rule('level == "high'), '6:31: error: the text has no closing quote (end it with ")'),
    Broken("breaks off", rule("abstains and"), "6:34: error: the condition breaks off (add what is to be compared)"),
    Broken("a percent sign", rule("risk_score >= 40%"), "6:38: error: '%' is not known (write 40 % as 0.4)"),
    Broken(
        "two conditions side by side",
        rule("abstains prohibited"),
        "6:31: error: 'prohibited' does not belong here (join conditions by and, or)",
    ),
    Broken(
        "a dot",
        rule("seller.warnings > 1"),
        "6:28: error: '.' is not known (names of facts have no dot; write seller_warnings)",
    ),
    # Names, types, ranges
    Broken(
        "an unknown fact",
        rule("risk_scor >= 0.4"),
        "6:22: error: no fact has the name 'risk_scor' (did you mean 'risk_score'?)",
    ),
    Broken(
        "an unknown function",
        rule('hazrd("choking") >= 0.4'),
        "6:22: error: no function has the name 'hazrd' (did you mean 'hazard'?)",
    ),
    Broken(
        "an unknown risk type",
        rule('hazard("chocking") >= 0.4'),
        "6:29: error: 'chocking' is not a risk type (did you mean 'choking'?)",
    ),
    Broken("an unknown level", rule('level == "hihg"'), "6:31: error: 'hihg' is not a level (did you mean 'high'?)"),
    Broken(
        "an unknown kind",
        rule('kind == "laser-pointr"'),
        "6:30: error: 'laser-pointr' is not a kind (did you mean 'laser-pointer' or 'laser-printer'?)",
    ),
    Broken(
        "an unknown cue",
        rule('"button-cel" in cues'),
        "6:22: error: 'button-cel' is not a cue (did you mean 'button-cell'?)",
    ),
    Broken(
        "an unknown gap",
        rule('"manufacturer-adress" in missing'),
        "6:22: error: 'manufacturer-adress' is not a gap (did you mean 'manufacturer-address' or 'manufacturer'?)",
    ),
    Broken(
        "percent as a number",
        rule("risk_score >= 40"),
        "6:36: error: risk_score lies within 0 and 1; 40 says nothing (write 0.4 for 40 %)",
    ),
    Broken(
        "a number in quotes",
        rule('risk_score >= "0.4"'),
        "6:22: error: a number is compared with a text (write numbers without quotes)",
    ),
    Broken(
        "a number as a condition",
        rule("risk_score"),
        "6:22: error: risk_score is a number, not true or false (compare it, such as risk_score >= 0.4)",
    ),
    Broken("a text with an order", rule('kind > "a"'), "6:22: error: a text has no order (compare it by == or !=)"),
    Broken(
        "a set compared",
        rule('flagged == "fire"'),
        '6:22: error: a set of texts is compared with a text (write "a" in SET, any_of(SET, ["a", "b"]) or count(SET) > 0)',
    ),
    Broken(
        "in a text",
        rule('"fire" in kind'),
        '6:32: error: kind is no set (write == "..." to compare with one text, or in ["...", "..."])',
    ),
    Broken(
        "two values for one",
        rule('hazard("fire", "burns") > 0.1'),
        "6:22: error: 'hazard' takes 1 value, not 2 (write hazard(\"choking\") >= 0.4)",
    ),
    Broken(
        "an unknown threshold",
        rule('risk_score >= threshold("urgent")'),
        "6:46: error: no threshold has the name 'urgent' (name it under assess: thresholds)",
    ),
    Broken(
        "a threshold on another score",
        "assess: {thresholds: {find: {score: p_unsafe, otherwise: 0.5}}}\n" + rule('risk_score >= threshold("find")'),
        "7:36: error: threshold 'find' is on p_unsafe, not on risk_score (compare it with p_unsafe, or name a threshold on risk_score under assess: thresholds)",
    ),
    Broken(
        "known of what is always known",
        rule("known(risk_score)"),
        "6:28: error: 'risk_score' is always known (remove the test)",
    ),
    Broken(
        "classify by what comes later",
        "name: p\nversion: 1\nclassify:\n  changes:\n    - {id: c, when: prohibited, at_least: high, reason: R}\nmitigate: {otherwise: publish, rules: []}\n",
        "5:21: error: 'prohibited' cannot be used here (it is only known when the level is; use it in a rule)",
    ),
    # References
    Broken(
        "an unknown queue",
        rule("abstains", ", queue: urgnt") + "  queues:\n    urgent: {who: W, minutes: 3}\n",
        "6:66: error: no queue has the name 'urgnt' (did you mean 'urgent'?)",
    ),
    Broken(
        "an unknown obligation",
        rule("abstains", ", obligations: [tell]"),
        "6:73: error: no obligation has the name 'tell' (name it under mitigate: obligations)",
    ),
    Broken(
        "an id twice",
        rule("abstains") + "    - {id: a, when: prohibited, action: block, reason: R}\n",
        "7:12: error: id 'a' stands twice (line 6 has it too; ids are unique)",
    ),
    Broken(
        "a change that changes nothing",
        "name: p\nversion: 1\nclassify:\n  changes:\n    - {id: c, when: abstains, reason: R}\nmitigate: {otherwise: publish, rules: []}\n",
        "5:7: error: change 'c' changes nothing (give it at_least or at_most, a level)",
    ),
    # Sense
    Broken(
        "two levels at once",
        rule('level == "low" and level == "high"'),
        "6:22: error: the condition can never be true: nothing satisfies what it asks of level (mend it, or drop the rule)",
    ),
    Broken(
        "an empty range",
        rule("risk_score > 0.5 and risk_score < 0.4"),
        "6:22: error: the condition can never be true: nothing satisfies what it asks of risk_score (mend it, or drop the rule)",
    ),
    Broken(
        "not known and compared",
        rule("not known(seller_warnings) and seller_warnings > 1"),
        "6:22: error: the condition can never be true: nothing satisfies what it asks of seller_warnings (mend it, or drop the rule)",
    ),
    Broken(
        "a dead branch",
        rule('abstains or (kind == "t-shirt" and kind == "handbag")'),
        "6:35: warning: this part can never be true: nothing satisfies what it asks of kind (mend it, or drop the part)",
    ),
    Broken(
        "always true",
        rule("p_unsafe >= 0"),
        "6:21: warning: the condition is true for every listing (write true if that is meant)",
    ),
    Broken(
        "an outdone rule",
        rule("risk_score > 0.2") + "    - {id: b, when: risk_score > 0.5, action: hold_for_review, reason: R}\n",
        "7:12: warning: rule 'b' never decides: 'a' fires whenever it does and is stricter (drop it, or narrow the other rule)",
    ),
    Broken(
        "an unused queue",
        f"{HEAD}    []\n  queues:\n    urgent: {{who: W, minutes: 3}}\n",
        "8:5: warning: queue 'urgent' is never used (use it in a rule, or remove it)",
    ),
    Broken(
        "expired",
        rule("abstains", ", expires: 2026-01-31"),
        "6:68: warning: rule 'a' expired on 2026-01-31 and no longer counts (renew it, or set status: expired)",
    ),
]
