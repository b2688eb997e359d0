"""The statement of reasons that a restriction owes: from an assessment and its decision to the database's fields.

DSA Article 17 asks for the restriction, its scope and duration, the facts, the use of automated means and the ground;
Article 24(5) for its submission to the Commission's database, without personal data. So nothing that a seller wrote
goes in: the facts are told by the scenario, the cues' names and the plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from typing_extensions import TypedDict  # pydantic wants this one below Python 3.12

from models.domain.action import Action
from models.domain.assessment import Assessment, Decision
from models.domain.listing import Listing
from models.reasons.marketplace import Marketplace
from models.reasons.schema import load_schema

PROHIBITED = "prohibited-kind"
"""Reason code of rules on kinds of product that may not be sold at all."""


class StatementOfReasons(TypedDict, total=False):
    """Fields of the database, schema v2; `models.reasons.checking` holds their rules."""

    decision_visibility: list[str]
    decision_visibility_other: str
    decision_monetary: str
    decision_monetary_other: str
    decision_provision: str
    decision_account: str
    account_type: str
    decision_ground: str
    decision_ground_reference_url: str
    illegal_content_legal_ground: str
    illegal_content_explanation: str
    incompatible_content_ground: str
    incompatible_content_explanation: str
    incompatible_content_illegal: str
    content_type: list[str]
    content_type_other: str
    category: str
    category_addition: list[str]
    category_specification: list[str]
    category_specification_other: str
    territorial_scope: list[str]
    content_language: str
    content_date: str
    application_date: str
    end_date_account_restriction: str
    end_date_monetary_restriction: str
    end_date_service_restriction: str
    end_date_visibility_restriction: str
    decision_facts: str
    source_type: str
    source_identity: str
    automated_detection: str
    automated_decision: str
    content_id: dict[str, str]
    puid: str


@dataclass(frozen=True)
class Restriction:
    """What the plan, or a person, decided, as far as a statement tells it.

    Parameters
    ----------
    reasons : sequence of str
        Sentences of the rules that fired, strictest first.
    legal_bases : sequence of str
        Articles that these rules cite.
    missing : sequence of str
        Codes of obligations that the listing does not meet.
    prohibited : bool
        The kind of product may not be sold at all.
    """

    action: Action
    reasons: Sequence[str]
    legal_bases: Sequence[str] = ()
    missing: Sequence[str] = ()
    prohibited: bool = False


def restriction_of(decision: Decision) -> Restriction:
    """Return what a decision tells: of the rules that fired, those whose action was taken."""
    deciding = [rule for rule in decision.fired if rule.action == decision.action]
    missing = dict.fromkeys(code for duty in decision.obligations if duty.who == "seller" for code in duty.missing)
    return Restriction(
        decision.action,
        [rule.reason for rule in deciding] or decision.reasons,
        list(dict.fromkeys(basis for rule in deciding for basis in rule.legal_basis)),
        list(missing),
        any(rule.reason_code == PROHIBITED for rule in deciding),
    )


@dataclass(frozen=True)
class Handling:
    """What neither the assessment nor the marketplace knows.

    Parameters
    ----------
    applied : date
        Day from which the restriction holds.
    content_date : date or None
        Day the offer was uploaded; None takes `applied`, since offers are assessed on upload.
    source_type, source_identity : str
        Who pointed at the offer; the identity goes in only where the notifier is an organisation.
    automated_decision : str
        ``AUTOMATED_DECISION_FULLY`` where no person looked.
    """

    applied: date
    content_date: date | None = None
    source_type: str = "SOURCE_VOLUNTARY"
    source_identity: str = ""
    automated_decision: str = "AUTOMATED_DECISION_FULLY"


def statement_of(
    listing: Listing,
    assessment: Assessment,
    restriction: Restriction,
    marketplace: Marketplace,
    circumstances: Handling,
) -> StatementOfReasons | None:
    """Return the statement of reasons, None where none is owed: nothing is restricted, or nothing within the EEA.

    Every statement that is returned passes `check_statement`; `puid` follows from the assessment's id, so that sending
    it twice is noticed.
    """
    scope = _countries(listing, marketplace)
    if not marketplace.restricts(restriction.action) or not scope:
        return None
    applied = circumstances.applied.isoformat()
    statement: StatementOfReasons = {
        "decision_visibility": [marketplace.visibility[restriction.action]],
        **_ground(restriction, assessment, marketplace),
        "content_type": ["CONTENT_TYPE_PRODUCT"],
        "category": "STATEMENT_CATEGORY_UNSAFE_AND_PROHIBITED_PRODUCTS",
        "category_specification": _keywords(assessment, restriction),
        "territorial_scope": scope,
        "content_date": (circumstances.content_date or circumstances.applied).isoformat(),
        "application_date": applied,
        "decision_facts": decision_facts(assessment, restriction)[:5000],
        "source_type": circumstances.source_type,
        "automated_detection": "Yes" if circumstances.source_type == "SOURCE_VOLUNTARY" else "No",
        "automated_decision": circumstances.automated_decision,
        "puid": f"hazardlens-{assessment.id}",
    }
    language = assessment.language.code.upper()
    if len(language) == 2 and language.isascii() and language.isalpha():
        statement["content_language"] = language
    if circumstances.source_identity and circumstances.source_type != "SOURCE_VOLUNTARY":
        statement["source_identity"] = circumstances.source_identity[:500]
    if ean := ean13(listing.gtin):
        statement["content_id"] = {"EAN-13": ean}
    return statement


def decision_facts(assessment: Assessment, restriction: Restriction) -> str:
    """Tell the facts and circumstances in English, without a word that the seller wrote."""
    seen = f"The offer was assessed by software (hazardlens, model {assessment.versions.model})"
    sentences = [f"{seen} under the risk-management plan {assessment.versions.plan}."]
    scenario = assessment.scenario
    if scenario is not None:
        sentences.append(
            f"Worst scenario, hazard '{scenario.risk_type}': {scenario.sentence} Severity {scenario.severity} of 4,"
            f" probability over the lifetime {scenario.band}: risk level {scenario.level.value}"
            " by the matrix of the EU risk-assessment guidelines."
        )
    else:
        sentences.append(f"Risk level {assessment.risk_level.value}: no hazard scenario reaches the matrix.")
    cues = sorted({cue.cue for cue in assessment.cues if cue.effect == "aggravating" and not cue.negated})
    if cues:
        sentences.append(f"The offer's own words show: {', '.join(cues)}.")
    if restriction.missing:
        sentences.append(f"Safety information is missing: {_listed(restriction.missing)} (GPSR Article 22(9)).")
    if assessment.abstains:
        sentences.append("The software was not sure of its reading, which the plan answers with a person's review.")
    sentences += [f"Rule of the plan: {reason}" for reason in restriction.reasons]
    return " ".join(sentences)


def ean13(gtin: str) -> str:
    """Return a GTIN as thirteen digits, empty where it is none: GTIN-12 gets a leading zero, the check digit must hold.

    Examples
    --------
    >>> ean13("4006381333931"), ean13("036000291452"), ean13("4006381333932"), ean13("n/a")
    ('4006381333931', '0036000291452', '', '')
    """
    digits = gtin.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) in (12, 13)):
        return ""
    digits = digits.zfill(13)
    odd, even = sum(map(int, digits[0:12:2])), sum(map(int, digits[1:12:2]))
    return digits if (10 - (odd + 3 * even) % 10) % 10 == int(digits[-1]) else ""


def _listed(missing: Sequence[str]) -> str:
    countries = [code.removeprefix("warnings-") for code in missing if code.startswith("warnings-")]
    words = [code.replace("-", " ") for code in missing if not code.startswith("warnings-")]
    return ", ".join([*words, *([f"warnings in a language of {', '.join(countries)}"] if countries else [])])


def _ground(restriction: Restriction, assessment: Assessment, marketplace: Marketplace) -> StatementOfReasons:
    why = " ".join(restriction.reasons) or f"Risk level {assessment.risk_level.value}."
    if restriction.action in marketplace.illegal:
        bases = "; ".join(dict.fromkeys(restriction.legal_bases)) or marketplace.legal_ground
        return {
            "decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT",
            "illegal_content_legal_ground": bases[:500],
            "illegal_content_explanation": f"The offer is of a product that may not be made available. {why}"[:2000],
        }
    return {
        "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
        "decision_ground_reference_url": marketplace.terms_url[:500],
        "incompatible_content_ground": marketplace.terms_clause[:500],
        "incompatible_content_explanation": f"The offer does not meet this clause, or not yet. {why}"[:2000],
    }


def _keywords(assessment: Assessment, restriction: Restriction) -> list[str]:
    schema = load_schema()
    wanted = ["KEYWORD_PROHIBITED_PRODUCTS" if restriction.prohibited else "KEYWORD_UNSAFE_PRODUCTS"]
    if assessment.scenario is not None:
        wanted.append(schema.keywords_of_hazards.get(assessment.scenario.risk_type, ""))
    codes = ["warnings" if code.startswith("warnings-") else code for code in restriction.missing]
    wanted += [schema.keywords_of_obligations.get(code, "") for code in codes]
    return [keyword for keyword in dict.fromkeys(wanted) if keyword]


def _countries(listing: Listing, marketplace: Marketplace) -> list[str]:
    """Where the offer would have been shown: as the listing says, else where the marketplace shows offers."""
    schema = load_schema()
    eea = schema.fields["territorial_scope"].values
    targets = {schema.renamed.get(code.upper(), code.upper()) for code in listing.target_countries}
    return [code for code in eea if code in (targets or marketplace.countries or eea)]
