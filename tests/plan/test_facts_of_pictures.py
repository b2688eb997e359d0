"""What conditions can ask about pictures."""

from __future__ import annotations

from typing import Any

import pytest

from models.plan.facts import facts_of

READ = {"text": "CE mark", "source": "mark", "mark": "ce", "picture": "a", "confidence": 0.9}
FAILED = {"text": "", "source": "ocr", "failure": "took more than 60 s", "picture": "a"}


@pytest.mark.parametrize(
    ("captions", "marks", "sources", "unread"),
    [
        (None, set(), set(), 0),
        (["a lamp"], set(), {"given"}, 0),
        ([{"text": "a lamp"}, {"text": "b", "source": "ocr"}], set(), {"given", "ocr"}, 0),
        ([READ], {"ce"}, {"mark"}, 0),
        ([READ, FAILED, {**FAILED, "source": "caption"}], {"ce"}, {"mark"}, 1),
        ([FAILED, {**FAILED, "picture": "b"}, {"failure": "x"}], set(), set(), 3),
    ],
)
def test_captions_of_any_age_tell_marks_sources_and_failures(
    captions: Any, marks: set[str], sources: set[str], unread: int
) -> None:
    facts = facts_of({"picture_confidence": 0.5}, {"captions": captions})

    assert (facts["picture_marks"], facts["caption_sources"], facts["unread_pictures"]) == (marks, sources, unread)
    assert facts["picture_confidence"] == 0.5
    assert facts_of({}, {})["picture_confidence"] is None
