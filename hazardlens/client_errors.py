"""What can go wrong between a client and the server, each with the server's own words where it gave any."""

from __future__ import annotations

from models.domain.errors import HazardlensError
from serving.api.problems import Problem


class ClientError(HazardlensError):
    """Base of every error that `hazardlens.Client` raises."""


class ConnectionFailedError(ClientError):
    """No answer came: the server is not there, or the connection broke, as often as it was tried."""


class DeadlineError(ClientError):
    """The deadline passed, or the wait that the server asked for would pass it."""


class UnexpectedAnswerError(ClientError):
    """The answer is not what the API promises; something else may listen at that address."""


class JobFailedError(ClientError):
    """A job ended before its last listing, through its upload or a fault of the server."""


class ProblemError(ClientError):
    """The server refused the request.

    Parameters
    ----------
    problem : Problem
        Problem details (RFC 9457) as the server sent them.
    retry_after : float or None
        Seconds after which the server wants to be asked again.
    """

    def __init__(self, problem: Problem, retry_after: float | None = None) -> None:
        self.problem = problem
        self.retry_after = retry_after
        super().__init__(": ".join(filter(None, (f"{problem.status} {problem.title}", problem.detail))))

    @property
    def status(self) -> int:
        """HTTP status."""
        return self.problem.status


class InvalidRequestError(ProblemError):
    """400, 413, 415, 422 and other 4xx: asking again will not help."""


class AccessError(ProblemError):
    """401 or 403: the API key is missing, or not allowed to do this."""


class NotFoundError(ProblemError):
    """404: nothing has that id."""


class TooBusyError(ProblemError):
    """429, still after every retry."""


class UnavailableError(ProblemError):
    """502, 503 or 504, still after every retry: the server is starting, overloaded or gone."""


class ServerFaultError(ProblemError):
    """500 and other 5xx: a fault of the server, which its log explains."""


class ItemError(ClientError):
    """One listing could not be assessed; the others of its request were.

    In the answer for a list it stands in that listing's place; for a single listing it is raised.

    Parameters
    ----------
    index : int
        Place of the listing in the list that was given.
    listing_id : str or None
        As the listing gave it.
    problem : Problem
        What is wrong, field by field.
    """

    def __init__(self, index: int, listing_id: str | None, problem: Problem) -> None:
        self.index = index
        self.listing_id = listing_id
        self.problem = problem
        super().__init__(f"listing {index} ({listing_id!r}): {problem.title}: {problem.detail}")


_BY_STATUS: dict[int, type[ProblemError]] = {
    401: AccessError,
    403: AccessError,
    404: NotFoundError,
    429: TooBusyError,
    502: UnavailableError,
    503: UnavailableError,
    504: UnavailableError,
}


def error_of(problem: Problem, retry_after: float | None = None) -> ProblemError:
    """Return the exception for a problem, by its status."""
    kind = _BY_STATUS.get(problem.status, ServerFaultError if problem.status >= 500 else InvalidRequestError)
    return kind(problem, retry_after)
