"""Whether a listing has the machine to itself."""

from __future__ import annotations

import pytest

from models.classifier.crowd import Crowd


def test_one_is_alone_until_another_joins_and_again_when_it_has_left() -> None:
    crowd = Crowd()
    with crowd.joined():
        assert crowd.alone
        with crowd.joined():
            assert not crowd.alone
        assert crowd.alone


def test_who_fails_has_left() -> None:
    crowd = Crowd()
    with pytest.raises(ZeroDivisionError), crowd.joined():
        raise ZeroDivisionError
    with crowd.joined():
        assert crowd.alone
