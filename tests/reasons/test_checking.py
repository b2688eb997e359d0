"""Every rule of the schema: what passes, what fails, and with which mend."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.errors import InputError
from models.reasons.checking import batches, check_batch, check_statement
from models.reasons.schema import FieldRule, load_schema
from models.reasons.statement import StatementOfReasons
from tests.reasons.conftest import ILLEGAL

SCHEMA = load_schema()
INCOMPATIBLE = {
    **{name: value for name, value in ILLEGAL.items() if not name.startswith("illegal_content")},
    "decision_ground": "DECISION_GROUND_INCOMPATIBLE_CONTENT",
    "incompatible_content_ground": "Terms, section 4",
    "incompatible_content_explanation": "No manufacturer is named.",
}
REQUIRED = [rule for rule in SCHEMA.fields.values() if rule.required]
REQUIRED_IF = [(rule, name, value) for rule in SCHEMA.fields.values() for name, value in rule.required_if.items()]


def errors_of(raw: Any) -> dict[str, str]:
    """Place -> message of every error."""
    return {error.place: str(error) for error in check_statement(raw).errors}


def with_condition(name: str, value: str) -> dict[str, Any]:
    """A whole statement in which a field has, or holds, a value, before what that asks for is added."""
    base = INCOMPATIBLE if value == "DECISION_GROUND_INCOMPATIBLE_CONTENT" else ILLEGAL
    held = [value] if SCHEMA.fields[name].kind == "choices" else value
    return {**base, name: held}


class TestRequired:
    def test_a_whole_statement_passes_as_it_is(self, statement: dict[str, Any]) -> None:
        checked = check_statement(statement)

        assert (checked.errors, checked.dropped) == ((), ())
        assert checked.required() == statement

    def test_the_typed_record_has_the_fields_of_the_schema(self) -> None:
        assert list(get_type_hints(StatementOfReasons)) == list(SCHEMA.fields)

    @pytest.mark.parametrize("rule", REQUIRED, ids=lambda rule: rule.name)
    def test_a_required_field_cannot_be_left_out(self, statement: dict[str, Any], rule: FieldRule) -> None:
        for nothing in (None, "", []):
            statement[rule.name] = nothing
            assert errors_of(statement)[rule.name].startswith(f"{rule.name}: is missing")

    def test_ten_fields_are_required_always(self) -> None:
        assert [rule.name for rule in REQUIRED] == [
            "decision_ground",
            "content_type",
            "category",
            "content_date",
            "application_date",
            "decision_facts",
            "source_type",
            "automated_detection",
            "automated_decision",
            "puid",
        ]

    @pytest.mark.parametrize(("rule", "name", "value"), REQUIRED_IF, ids=lambda part: getattr(part, "name", part))
    def test_a_field_that_is_required_if_passes_when_it_is_there(self, rule: FieldRule, name: str, value: str) -> None:
        checked = check_statement({**with_condition(name, value), rule.name: "written out"})

        assert checked.errors == ()
        assert checked.payload[rule.name] == "written out"

    @pytest.mark.parametrize(("rule", "name", "value"), REQUIRED_IF, ids=lambda part: getattr(part, "name", part))
    def test_a_field_that_is_required_if_fails_when_it_is_not(self, rule: FieldRule, name: str, value: str) -> None:
        raw = with_condition(name, value)
        raw.pop(rule.name, None)

        assert errors_of(raw) == {
            rule.name: f"{rule.name}: is missing (needed because {name} is {value};"
            f" a text of at most {rule.most:,} characters)"
        }

    @pytest.mark.parametrize(("rule", "name", "value"), REQUIRED_IF, ids=lambda part: getattr(part, "name", part))
    def test_it_is_dropped_and_not_required_otherwise(self, rule: FieldRule, name: str, value: str) -> None:
        raw = dict(INCOMPATIBLE if value == "DECISION_GROUND_ILLEGAL_CONTENT" else ILLEGAL)
        raw[rule.name] = "written out"
        checked = check_statement(raw)

        assert checked.errors == ()
        assert checked.dropped == (rule.name,)
        assert rule.name not in checked.payload

    def test_eight_rules_ask_for_a_text_in_some_case(self) -> None:
        assert [(rule.name, value) for rule, _, value in REQUIRED_IF] == [
            ("decision_visibility_other", "DECISION_VISIBILITY_OTHER"),
            ("decision_monetary_other", "DECISION_MONETARY_OTHER"),
            ("illegal_content_legal_ground", "DECISION_GROUND_ILLEGAL_CONTENT"),
            ("illegal_content_explanation", "DECISION_GROUND_ILLEGAL_CONTENT"),
            ("incompatible_content_ground", "DECISION_GROUND_INCOMPATIBLE_CONTENT"),
            ("incompatible_content_explanation", "DECISION_GROUND_INCOMPATIBLE_CONTENT"),
            ("content_type_other", "CONTENT_TYPE_OTHER"),
            ("category_specification_other", "KEYWORD_OTHER"),
        ]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("decision_visibility", ["DECISION_VISIBILITY_CONTENT_LABELLED"]),
            ("decision_monetary", "DECISION_MONETARY_SUSPENSION"),
            ("decision_provision", "DECISION_PROVISION_PARTIAL_SUSPENSION"),
            ("decision_account", "DECISION_ACCOUNT_SUSPENDED"),
        ],
    )
    def test_one_of_four_decisions_is_enough(self, statement: dict[str, Any], name: str, value: Any) -> None:
        del statement["decision_visibility"]
        statement[name] = value

        assert errors_of(statement) == {}

    def test_a_statement_without_any_decision_names_all_four(self, statement: dict[str, Any]) -> None:
        del statement["decision_visibility"]
        found = errors_of(statement)

        assert list(found) == ["decision_visibility", "decision_monetary", "decision_provision", "decision_account"]
        assert "decision_monetary, decision_provision, decision_account" in found["decision_visibility"]

    def test_who_pointed_at_the_offer_is_dropped_where_nobody_did(self, statement: dict[str, Any]) -> None:
        statement["source_identity"] = "Consumer organisation"
        assert check_statement(statement).dropped == ("source_identity",)

        statement["source_type"] = "SOURCE_TRUSTED_FLAGGER"
        assert check_statement(statement).payload["source_identity"] == "Consumer organisation"

    def test_whether_terms_and_law_are_both_broken_is_kept_with_that_ground_only(self) -> None:
        assert check_statement({**INCOMPATIBLE, "incompatible_content_illegal": "Yes"}).dropped == ()
        assert check_statement({**ILLEGAL, "incompatible_content_illegal": "Yes"}).dropped == (
            "incompatible_content_illegal",
        )


class TestValues:
    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            (
                "category",
                "STATEMENT_CATEGORY_UNSAFE_AND_ILLEGAL_PRODUCTS",
                "v2 calls it STATEMENT_CATEGORY_UNSAFE_AND_PRO",
            ),
            ("category", "UNSAFE", "give one of STATEMENT_CATEGORY_ANIMAL_WELFARE"),
            ("category_specification", ["KEYWORD_DANGEROUS_TOYS"], "v2 calls it KEYWORD_UNSAFE_PRODUCTS"),
            ("category_specification", ["KEYWORD_UNSAFE_PRODUCT"], "did you mean KEYWORD_UNSAFE_PRODUCTS?"),
            ("category_addition", "STATEMENT_CATEGORY_VIOLENCE", "is no array"),
            ("decision_visibility", ["DECISION_VISIBILITY_CONTENT_REMOVED"] * 2, "stands twice"),
            ("territorial_scope", ["EL"], "v2 calls it GR"),
            ("territorial_scope", ["DE", "GB"], "value 'GB' is not known"),
            ("territorial_scope", [None], "value None is not known"),
            ("content_language", "de", "an ISO 639-1 code in capitals such as EN"),
            ("content_date", "1999-12-31", "from 2000-01-01 to 2038-01-01"),
            ("content_date", "31.03.2026", "is no date (write year-month-day"),
            ("content_date", "2026-02-30", "is no date"),
            ("content_date", 20260331, "is no date"),
            ("application_date", "2019-12-31", "from 2020-01-01"),
            ("application_date", "2038-01-02", "until"),
            ("end_date_visibility_restriction", "2026-03-30", "before application_date (2026-03-31)"),
            ("decision_facts", "x" * 5001, "has 5,001 characters (at most 5,000"),
            ("decision_facts", "   ", "the text is blank"),
            ("decision_facts", ["a"], "is no text"),
            ("illegal_content_legal_ground", "x" * 501, "at most 500"),
            ("illegal_content_explanation", "x" * 2001, "at most 2,000"),
            ("decision_ground_reference_url", "marketplace.example/terms", "is no URL"),
            ("decision_ground_reference_url", "https://[", "is no URL"),
            ("automated_detection", True, "give one of Yes, No"),
            ("automated_decision", "AUTOMATED_DECISION_PARTIAL", "did you mean AUTOMATED_DECISION_PARTIALLY?"),
            ("content_id", {"EAN-13": "400638133393"}, "13 digits, as text"),
            ("content_id", {"EAN-13": "４００６３８１３３３９３１"}, "13 digits, as text"),
            ("content_id", {"ISBN": "4006381333931"}, "identifier 'ISBN' is not known"),
            ("content_id", "4006381333931", "is no object"),
            ("puid", "a b", "letters, digits, - and _ only"),
            ("puid", "a\n", "letters, digits, - and _ only"),
            ("puid", "a" * 501, "at most 500"),
            ("puid", 7, "is no text"),
            ("categry", "x", "did you mean 'category'?"),
            ("colour", "red", "is not a field of the schema (remove it)"),
        ],
    )
    def test_a_bad_value_is_named_with_its_mend(
        self, statement: dict[str, Any], name: str, value: Any, message: str
    ) -> None:
        statement[name] = value
        found = errors_of(statement)

        assert len(found) == 1
        ((place, text),) = found.items()
        assert place.startswith(name)
        assert message.replace("until", "to 2038-01-01") in text

    def test_every_value_of_every_list_is_taken(self, statement: dict[str, Any]) -> None:
        texts = {rule.name: "x" for rule in SCHEMA.fields.values() if rule.kind == "text"}
        for rule in SCHEMA.fields.values():
            for value in rule.values:
                held = [value] if rule.kind == "choices" else value
                assert errors_of({**statement, **texts, rule.name: held}) == {}, (rule.name, value)

    def test_value_lists_have_the_sizes_of_the_schema(self) -> None:
        sizes = {rule.name: len(rule.values) for rule in SCHEMA.fields.values() if rule.values}

        assert (sizes["category"], sizes["territorial_scope"], sizes["content_type"]) == (16, 30, 8)
        assert (sizes["decision_visibility"], sizes["decision_monetary"], sizes["source_type"]) == (7, 3, 4)

    def test_all_errors_are_told_at_once(self, statement: dict[str, Any]) -> None:
        statement |= {"category": "x", "puid": "?", "content_date": "y"}
        assert list(errors_of(statement)) == ["category", "content_date", "puid"]
        with pytest.raises(InputError, match="category"):
            check_statement(statement).required()

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda s: st.lists(s) | st.dictionaries(st.text(), s),
            max_leaves=6,
        )
    )
    def test_whatever_comes_is_judged_and_never_raises(self, raw: Any) -> None:
        assert check_statement(raw).errors

    @given(st.sampled_from(sorted(SCHEMA.fields)), st.none() | st.integers() | st.text() | st.lists(st.text()))
    def test_any_field_may_hold_anything(self, name: str, value: Any) -> None:
        checked = check_statement({**ILLEGAL, name: value})
        assert all(error.place and error.hint for error in checked.errors)


class TestBatches:
    def test_a_hundred_are_taken_and_one_more_is_not(self, statement: dict[str, Any]) -> None:
        many = [{**statement, "puid": f"p{i}"} for i in range(101)]

        assert check_batch({"statements": many[:100]}) == []
        (error,) = check_batch({"statements": many})
        assert "101 statements; at most 100" in str(error)

    def test_each_error_has_its_place(self, statement: dict[str, Any]) -> None:
        body = {
            "statements": [
                statement,
                {**statement, "puid": "q", "category": "x"},
                {**statement, "puid": "hazardlens-0f0f"},
                7,
            ]
        }
        assert [error.place for error in check_batch(body)] == [
            "statements[1].category",
            "statements[2].puid",
            "statements[3]",
        ]

    @pytest.mark.parametrize("body", [None, [], {}, {"statements": []}, {"statements": {}}])
    def test_a_body_of_another_shape_is_refused(self, body: Any) -> None:
        (error,) = check_batch(body)
        assert '{"statements": [ ... ]}' in str(error)

    @given(st.integers(0, 350))
    def test_batches_keep_order_and_lose_nothing(self, n: int) -> None:
        parts = list(batches({"puid": str(i)} for i in range(n)))

        assert all(1 <= len(part["statements"]) <= 100 for part in parts)
        assert [s["puid"] for part in parts for s in part["statements"]] == [str(i) for i in range(n)]
