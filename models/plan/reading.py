"""Reads a plan: file -> document -> checked plan, with every problem in its place."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.plan.document import PlanDocument
from models.plan.names import Vocabulary
from models.plan.plan import Plan
from models.plan.problems import Problem
from models.plan.references import reference_problems
from models.plan.review import review_problems
from models.plan.shape import read_document
from models.plan.source import PlanSource, read_source

_HINT = "give --plan a YAML file"


@dataclass(frozen=True)
class Reading:
    """What became of a plan file.

    Parameters
    ----------
    plan : Plan or None
        None where there is an error.
    problems : list of Problem
        Errors and warnings, in the order of the file.
    """

    file: str
    plan: Plan | None
    problems: list[Problem]
    source: PlanSource = field(repr=False)

    @property
    def errors(self) -> list[Problem]:
        """The problems that keep the plan from deciding."""
        return [problem for problem in self.problems if problem.severity == "error"]


def default_plan_file() -> Path:
    """Return the plan that ships with hazardlens."""
    return datasets_dir() / "plans" / "default.yaml"


def parse_plan(
    text: str, file: str = "plan", vocabulary: Vocabulary | None = None, day: dt.date | None = None
) -> Reading:
    """Check a plan's text; never raises.

    Parameters
    ----------
    file : str
        Name for messages.
    vocabulary : Vocabulary, optional
        Words of taxonomy and knowledge base; without it they are not checked.
    day : date, optional
        By default today in UTC.
    """
    source = read_source(text)
    problems = list(source.problems)
    document: PlanDocument | None = None
    if not problems:
        document, shape = read_document(source)
        problems += shape
    today = day or dt.datetime.now(dt.UTC).date()
    if document is not None:
        problems += reference_problems(document, source, vocabulary or Vocabulary())
    if document is not None and not _has_error(problems):
        problems += review_problems(document, source, today)
    problems.sort(key=lambda problem: (problem.line, problem.column, problem.severity, problem.message))
    plan: Plan | None = None
    if document is not None and not _has_error(problems):
        plan = Plan(document, text, today, {})
    return Reading(file, plan, problems, source)


def plan_file_text(file: Path) -> str:
    """Return the text of a plan file.

    Raises
    ------
    InputError
        If there is no such file, or it is no text.
    """
    try:
        return file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise InputError("no such plan", place=str(file), hint=_HINT) from error
    except OSError as error:
        raise InputError(f"not readable: {error.strerror or error}", place=str(file), hint=_HINT) from error
    except UnicodeDecodeError as error:
        raise InputError(f"byte {error.start} is no UTF-8", place=str(file), hint="save it as UTF-8") from error


def read_plan(
    path: Path | str | None = None, vocabulary: Vocabulary | None = None, day: dt.date | None = None
) -> Reading:
    """Check a plan file; without a path, the one that ships.

    Raises
    ------
    InputError
        If there is no such file, or it is no text.
    """
    file = default_plan_file() if path is None else Path(path)
    return parse_plan(plan_file_text(file), str(file), vocabulary, day)


def load_plan(path: Path | str | None = None, vocabulary: Vocabulary | None = None, day: dt.date | None = None) -> Plan:
    """Read a plan file that must be in order; without a path, the one that ships.

    Raises
    ------
    InputError
        For its first error, naming file, line, column and mend.
    """
    reading = read_plan(path, vocabulary, day)
    if reading.plan is None:
        raise reading.errors[0].as_error(reading.file)
    return reading.plan


def _has_error(problems: list[Problem]) -> bool:
    return any(problem.severity == "error" for problem in problems)
