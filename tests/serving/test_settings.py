from __future__ import annotations

from pathlib import Path

import pytest

from models.classifier.cores import usable_cores
from models.domain.errors import InputError
from serving.settings import Settings


def test_defaults_hold_when_nothing_is_set() -> None:
    assert Settings.from_environment({}) == Settings()


def test_every_field_is_read_from_its_variable() -> None:
    given = {
        "HAZARDLENS_MODEL": "m",
        "HAZARDLENS_DATABASE_URL": "sqlite:///a.db",
        "HAZARDLENS_HOST": "0.0.0.0",
        "HAZARDLENS_PORT": "9",
        "HAZARDLENS_PLAN": "p.yaml",
        "HAZARDLENS_THREADS": "3",
        "HAZARDLENS_MAX_LISTINGS": "7",
        "HAZARDLENS_MAX_FULL": "2",
        "HAZARDLENS_MAX_BODY_MB": "1",
        "HAZARDLENS_MAX_IN_FLIGHT": "8",
        "HAZARDLENS_LOG_LEVEL": "DEBUG",
        "HAZARDLENS_DEMO": "1",
        "HAZARDLENS_PLAN_FOUR_EYES": "no",
        "HAZARDLENS_EVIDENCE": "known.jsonl",
        "HAZARDLENS_MODEL_WATCH": "0.5",
        "HAZARDLENS_WORKERS": "4",
        "HAZARDLENS_OTLP_ENDPOINT": "http://collector:4318",
    }
    expected = Settings(
        model=Path("m"),
        model_watch=0.5,
        workers=4,
        database_url="sqlite:///a.db",
        host="0.0.0.0",
        port=9,
        plan=Path("p.yaml"),
        threads=3,
        max_listings=7,
        max_full=2,
        max_body_mb=1,
        max_in_flight=8,
        log_level="debug",
        demo=True,
        plan_four_eyes=False,
        evidence=Path("known.jsonl"),
        otlp_endpoint="http://collector:4318",
    )
    assert Settings.from_environment(given) == expected


def test_workers_read_the_settings_of_the_process_that_starts_them() -> None:
    settings = Settings(
        model=Path("m"), plan=Path("p.yaml"), threads=3, demo=True, plan_four_eyes=False, workers=2, cores=(0,)
    )
    assert Settings.from_environment(settings.as_environment()) == settings


def test_workers_share_the_cores() -> None:
    assert Settings(workers=256).threads_of_a_worker == 1
    assert Settings(workers=1).threads_of_a_worker == usable_cores()
    assert Settings(workers=2, cores=(0, 1, 2, 3)).threads_of_a_worker == 2
    assert Settings(workers=2, threads=3).threads_of_a_worker == 3


def test_an_empty_variable_keeps_the_default() -> None:
    assert Settings.from_environment({"HAZARDLENS_PORT": " "}).port == 8000


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HAZARDLENS_PORT", "http", "whole number from 0 to 65535"),
        ("HAZARDLENS_PORT", "70000", "out of range"),
        ("HAZARDLENS_THREADS", "0", "from 1"),
        ("HAZARDLENS_WORKERS", "0", "from 1"),
        ("HAZARDLENS_MODEL_WATCH", "-1", "such as 2 or 0.5"),
        ("HAZARDLENS_MODEL_WATCH", "often", "such as 2 or 0.5"),
        ("HAZARDLENS_LOG_LEVEL", "loud", "debug, info"),
        ("HAZARDLENS_DEMO", "maybe", "1, true"),
        ("HAZARDLENS_MAX_IN_FLIGHT", "10", "HAZARDLENS_MAX_LISTINGS (1000)"),
    ],
)
def test_an_error_names_variable_value_and_mend(name: str, value: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        Settings.from_environment({name: value})
    assert str(caught.value).startswith(f"{name}: ")
    assert value in str(caught.value)
    assert words in str(caught.value)
