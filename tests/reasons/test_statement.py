"""Statements made from assessments."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.action import Action
from models.domain.assessment import Assessment
from models.domain.errors import InputError
from models.domain.listing import Listing
from models.domain.resources import datasets_dir
from models.reasons.checking import check_statement
from models.reasons.marketplace import load_marketplace
from models.reasons.schema import load_schema
from models.reasons.statement import Handling, Restriction, ean13, statement_of

TODAY = Handling(date(2026, 3, 31))
MARKETPLACE = load_marketplace()
RESTRICTIVE = [Action.REQUEST_INFORMATION, Action.HOLD_FOR_REVIEW, Action.BLOCK]


@pytest.mark.parametrize("action", list(Action))
def test_restrictions_get_a_statement_that_passes_and_others_get_none(
    listing: Listing, assessment: Assessment, action: Action
) -> None:
    made = statement_of(listing, assessment, Restriction(action, ["Reason."]), MARKETPLACE, TODAY)

    assert (made is not None) == (action in RESTRICTIVE)
    if made is not None:
        checked = check_statement(made)
        assert (checked.errors, checked.dropped) == ((), ())


def test_only_a_block_calls_the_offer_illegal(listing: Listing, assessment: Assessment) -> None:
    block = statement_of(listing, assessment, Restriction(Action.BLOCK, ["R."], ["GPSR Article 5"]), MARKETPLACE, TODAY)
    hold = statement_of(listing, assessment, Restriction(Action.HOLD_FOR_REVIEW, ["R."]), MARKETPLACE, TODAY)

    assert block is not None
    assert hold is not None
    assert block["decision_ground"] == "DECISION_GROUND_ILLEGAL_CONTENT"
    assert block["illegal_content_legal_ground"] == "GPSR Article 5"
    assert block["decision_visibility"] == ["DECISION_VISIBILITY_CONTENT_REMOVED"]
    assert hold["decision_ground"] == "DECISION_GROUND_INCOMPATIBLE_CONTENT"
    assert hold["incompatible_content_ground"] == MARKETPLACE.terms_clause
    assert "illegal_content_legal_ground" not in hold


def test_nothing_that_the_seller_wrote_is_published(listing: Listing, assessment: Assessment) -> None:
    for action in RESTRICTIVE:
        made = str(
            statement_of(listing, assessment, Restriction(action, ["R."], missing=["manufacturer"]), MARKETPLACE, TODAY)
        )
        for private in ("Zorblax", "Jane", "jane.doe", "Doe Works", "Private Lane", "seller-4711", "SELLER-REF-77"):
            assert private not in made


def test_facts_tell_scenario_cues_plan_and_what_is_missing(listing: Listing, assessment: Assessment) -> None:
    restriction = Restriction(Action.BLOCK, ["Stay-down."], missing=["manufacturer"])
    made = statement_of(listing, assessment, restriction, MARKETPLACE, TODAY)

    assert made is not None
    for fact in (
        "A part comes off and blocks the airway of the child. Severity 4 of 4, probability over the lifetime > 1/10",
        "risk level serious",
        "small-parts",
        "default@1+00000000",
        "manufacturer (GPSR Article 22(9))",
        "Rule of the plan: Stay-down.",
    ):
        assert fact in made["decision_facts"]


def test_keywords_follow_hazard_prohibition_and_missing_information(listing: Listing, assessment: Assessment) -> None:
    scenario = assessment.scenario
    assert scenario is not None
    chemical = assessment.model_copy(update={"scenario": scenario.model_copy(update={"risk_type": "chemical"})})
    made = statement_of(
        listing,
        chemical,
        Restriction(
            Action.BLOCK, ["R."], missing=["manufacturer", "responsible-person-email", "warnings"], prohibited=True
        ),
        MARKETPLACE,
        TODAY,
    )

    assert made is not None
    assert made["category_specification"] == [
        "KEYWORD_PROHIBITED_PRODUCTS",
        "KEYWORD_RISK_PUBLIC_HEALTH",
        "KEYWORD_INSUFFICIENT_INFORMATION_ON_TRADERS",
        "KEYWORD_LANGUAGE_REQUIREMENTS",
    ]


@pytest.mark.parametrize(
    ("targets", "scope"),
    [(["de", "EL", "us"], ["DE", "GR"]), ([], list(load_schema().fields["territorial_scope"].values)), (["US"], None)],
)
def test_scope_is_where_the_offer_would_be_shown_in_the_eea(
    listing: Listing, assessment: Assessment, targets: list[str], scope: list[str] | None
) -> None:
    aimed = listing.model_copy(update={"target_countries": targets})
    made = statement_of(aimed, assessment, Restriction(Action.BLOCK, ["R."]), MARKETPLACE, TODAY)

    assert (made and made["territorial_scope"]) == scope


def test_a_notice_changes_source_and_detection(listing: Listing, assessment: Assessment) -> None:
    notice = Handling(
        date(2026, 3, 31), date(2026, 1, 2), "SOURCE_TRUSTED_FLAGGER", "Safety NGO", "AUTOMATED_DECISION_NOT_AUTOMATED"
    )
    made = statement_of(listing, assessment, Restriction(Action.BLOCK, ["R."]), MARKETPLACE, notice)

    assert made is not None
    assert (made["source_identity"], made["automated_detection"]) == ("Safety NGO", "No")
    assert (made["content_date"], made["application_date"]) == ("2026-01-02", "2026-03-31")
    assert check_statement(made).errors == ()


@given(
    st.sampled_from(RESTRICTIVE),
    st.lists(st.text(max_size=3000).map(lambda t: t + "."), min_size=1, max_size=4),
    st.lists(st.text(min_size=1, max_size=700).filter(str.strip), max_size=3),
)
def test_whatever_a_plan_says_the_statement_fits_the_schema(
    action: Action, reasons: list[str], bases: list[str]
) -> None:
    from tests.reasons.conftest import assessment_of

    listing = Listing(id="1", title="x")
    assessment = Assessment.model_construct(**assessment_of(listing))
    made = statement_of(listing, assessment, Restriction(action, reasons, bases), MARKETPLACE, TODAY)
    assert check_statement(made).errors == ()


@given(st.text(alphabet="0123456789", min_size=12, max_size=12))
def test_exactly_one_check_digit_makes_an_ean(body: str) -> None:
    assert sum(bool(ean13(f"{body}{digit}")) for digit in range(10)) == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: Example", "nme: x\nname: Example", "unknown key 'nme'"),
        ("terms_url: https", "terms_url: ftp", "is no URL"),
        ("countries: []", "countries: [GB]", "'GB' is no EEA country"),
        ("countries: []", "countries: DE", "is no list"),
        ("illegal: [block]", "illegal: [blok]", "value 'blok' is no action"),
        ("block: DECISION_VISIBILITY_CONTENT_REMOVED", "block: REMOVED", "value 'REMOVED' is not known"),
        ("operator: ", "operator: ''\n#", "operator is no text"),
    ],
)
def test_a_broken_marketplace_file_names_line_and_mend(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (datasets_dir() / "marketplace.yaml").read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "marketplace.yaml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_marketplace(file)
    assert message in str(caught.value)
    assert f"{file}:" in str(caught.value)
