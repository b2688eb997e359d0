"""Many phrases in one pass: longest first, at the edges of words."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from models.knowledge.phrase_index import Hit, PhraseIndexes

WORDS = st.lists(st.sampled_from(["a", "b", "ab", "ba", "aa"]), min_size=1, max_size=3).map(" ".join)


T = TypeVar("T")


def index_of(phrases: Iterable[tuple[str, T]], word_boundaries: bool = True) -> PhraseIndexes[T]:
    return PhraseIndexes({"only": phrases}, word_boundaries)


def hits_of(phrases: Iterable[tuple[str, T]], text: str, word_boundaries: bool = True) -> list[Hit[T]]:
    return index_of(phrases, word_boundaries).find("only", text)


def found(phrases: list[str], text: str, word_boundaries: bool = True) -> list[str]:
    return [
        text[hit.start : hit.end] for hit in hits_of([(phrase, phrase) for phrase in phrases], text, word_boundaries)
    ]


def test_the_longest_phrase_wins() -> None:
    assert found(["laser", "laser pointer", "pointer"], "a laser pointer pen") == ["laser pointer"]


def test_a_longer_phrase_that_begins_later_wins_over_a_shorter_one() -> None:
    assert found(["small magnet", "magnet ball set"], "small magnet ball set") == ["magnet ball set"]


def test_hits_come_from_left_to_right() -> None:
    assert found(["lamp", "christmas tree"], "lamp for a christmas tree lamp") == ["lamp", "christmas tree", "lamp"]


def test_a_phrase_inside_a_word_is_no_hit() -> None:
    assert found(["pen"], "open pencil pen, pen") == ["pen", "pen"]


def test_a_digit_is_part_of_a_word() -> None:
    assert found(["cr20"], "cr2032") == []


def test_a_phrase_with_a_sign_at_its_end_needs_no_edge_there() -> None:
    assert found(["100%"], "100%cotton") == ["100%"]


def test_scripts_without_spaces_are_searched_inside_running_text() -> None:
    phrases = ["磁石", "レーザーポインター"]
    assert found(phrases, "強力磁石付きレーザーポインター", word_boundaries=False) == phrases


def test_hyphens_and_spaces_stand_for_each_other() -> None:
    assert found(["button cell"], "button-cell") == ["button-cell"]
    assert found(["self-balancing"], "self balancing") == ["self balancing"]


def test_phrases_are_found_whatever_their_case_and_width() -> None:
    assert [hit.value for hit in hits_of([("ＬＲ４４", 1), ("CE Mark", 2)], "lr44 ce mark")] == [1, 2]


def test_every_value_of_a_shared_phrase_is_reported() -> None:
    phrases = [("lamp", "table"), ("lamp", "floor"), ("Lamp", "table")]
    assert [hit.value for hit in hits_of(phrases, "lamp")] == ["table", "floor"]


def test_an_empty_index_and_an_empty_text_give_no_hits() -> None:
    assert found([], "lamp") == []
    assert found(["lamp"], "") == []
    assert found(["", "  "], "lamp") == []


@given(st.lists(WORDS, max_size=6), st.lists(WORDS, max_size=8).map(" ".join))
def test_hits_are_phrases_that_do_not_overlap(phrases: list[str], text: str) -> None:
    hits = hits_of([(phrase, phrase) for phrase in phrases], text)
    assert all(text[hit.start : hit.end] == hit.value for hit in hits)
    spans = sorted({(hit.start, hit.end) for hit in hits})
    assert all(one[1] <= other[0] for one, other in pairwise(spans))


@given(st.lists(WORDS, min_size=1, max_size=6), st.data())
def test_every_phrase_is_covered_where_it_stands(phrases: list[str], data: st.DataObject) -> None:
    phrase = data.draw(st.sampled_from(phrases))
    text = f"xx {phrase} yy"
    assert any(hit.start < 3 + len(phrase) and hit.end > 3 for hit in hits_of([(p, p) for p in phrases], text))


@given(st.lists(WORDS, min_size=1, max_size=6), st.lists(WORDS, max_size=8).map(" ".join))
def test_the_order_of_the_phrases_does_not_matter(phrases: list[str], text: str) -> None:
    def spans(order: list[str]) -> list[tuple[int, int]]:
        return [(hit.start, hit.end) for hit in hits_of([(p, p) for p in order], text)]

    assert set(spans(phrases)) == set(spans(phrases[::-1]))


def stemmed_index(*phrases: str) -> PhraseIndexes[str]:
    return PhraseIndexes({"only": [(phrase, phrase) for phrase in phrases]}, canonical=lambda phrase: phrase[:4])


def written(text: str, words: dict[str, str]) -> list[str]:
    """Search a text of stems; `words` gives the word behind each stem."""
    index = stemmed_index(*["lampa", "lampe", "lampion", "sale"])
    return [hit.value for hit in index.find("only", text, lambda start, end: words[text[start:end]])]


def test_of_phrases_with_one_stem_the_one_that_is_written_stays() -> None:
    assert written("lamp", {"lamp": "lampe"}) == ["lampe"]


def test_of_phrases_with_one_stem_the_most_alike_stays_where_none_is_written() -> None:
    assert written("lamp", {"lamp": "lampions"}) == ["lampion"]


def test_a_short_word_matches_as_it_is_written_only() -> None:
    phrases = [("comò", 1), ("sem", 2)]
    index = PhraseIndexes({"only": phrases}, canonical=lambda phrase: phrase[:3].replace("ò", "o"))
    words = {"com": "com", "sem": "semi"}
    assert index.find("only", "com sem", lambda start, end: words["com sem"[start:end]]) == []
    assert [hit.value for hit in index.find("only", "sem", lambda start, end: "sem")] == [2]


def test_a_short_katakana_word_is_no_part_of_a_longer_one() -> None:
    assert found(["バス"], "バスト バス", word_boundaries=False) == ["バス"]
    assert found(["バッグ"], "ショルダーバッグ", word_boundaries=False) == ["バッグ"]


def test_a_word_in_devanagari_ends_where_its_vowel_signs_end() -> None:
    assert found(["ब्रा", "डियो"], "ब्रांड वीडियो, ब्रा") == ["ब्रा"]
    assert found(["गाड़ी"], "खिलौना गाड़ी") == ["गाड़ी"]


def test_hyphens_and_spaces_mix() -> None:
    assert found(["x-ray glasses toy"], "an x ray-glasses toy") == ["x ray-glasses toy"]
    assert found(["-", " "], "a - b") == []


def test_a_phrase_that_ends_in_a_hyphen_takes_no_space_along() -> None:
    assert found(["leder-"], "leder tasche") == ["leder"]


def test_phrases_that_meet_in_one_form_keep_what_each_stands_for() -> None:
    phrases = [("t-shirt", "a"), ("t shirt", "b"), ("t shirt", "b"), ("shirt", "c")]
    assert [hit.value for hit in hits_of(phrases, "t-shirt, t shirt or shirt")] == ["a", "b", "a", "b", "c"]


@given(st.lists(WORDS, max_size=6), st.lists(WORDS, max_size=6), st.lists(WORDS, max_size=8).map(" ".join))
def test_groups_know_nothing_of_each_other(some: list[str], others: list[str], text: str) -> None:
    groups = {"some": [(phrase, phrase) for phrase in some], "others": [(phrase, len(phrase)) for phrase in others]}
    together = PhraseIndexes(groups)
    spans = together.spans(text)
    for name, phrases in groups.items():
        assert together.find(name, text) == together.find(name, text, spans=spans) == hits_of(phrases, text)


@given(st.lists(WORDS, min_size=1, max_size=6), st.lists(WORDS, max_size=8).map(" ".join))
def test_values_of_groups_that_share_a_phrase_are_kept_apart(phrases: list[str], text: str) -> None:
    groups = {"names": [(phrase, "name") for phrase in phrases], "words": [(phrase, "word") for phrase in phrases]}
    together = PhraseIndexes(groups)
    assert {hit.value for hit in together.find("names", text)} <= {"name"}
    assert {hit.value for hit in together.find("words", text)} <= {"word"}
