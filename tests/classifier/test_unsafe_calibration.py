"""P(unsafe) under a stated prior."""

from __future__ import annotations

import numpy as np
import pytest

from models.classifier.fit_settings import FitSettings
from models.classifier.heads import BetaCalibration
from models.classifier.reading import ListingReader, ReadListing
from models.classifier.scenarios import ScenarioModel
from models.classifier.unsafe_calibration import fit_unsafe_calibration
from models.domain.listing import Listing
from models.domain.taxonomy import Taxonomy
from models.knowledge.base import Knowledge, load_knowledge

N = 600


class Market:
    """Alerts and ordinary listings whose kinds are known: two kinds, one of which fills the alerts."""

    def __init__(self, knowledge: Knowledge, taxonomy: Taxonomy, read: ReadListing) -> None:
        self.knowledge, self.taxonomy, self.read = knowledge, taxonomy, read
        rng = np.random.default_rng(0)
        self.risky = knowledge.kind_column["laser-pointer"]
        self.common = knowledge.kind_column["soft-toy"]
        self.alerts = self.of(rng.random(N) < 0.7)
        self.ordinary = self.of(rng.random(N) < 0.1)

    def of(self, risky: np.ndarray) -> np.ndarray:
        kinds = np.zeros((len(risky), len(self.knowledge.kinds)))
        kinds[np.arange(len(risky)), np.where(risky, self.risky, self.common)] = 1.0
        return kinds

    def scenarios(self, evidence: np.ndarray) -> ScenarioModel:
        return ScenarioModel(self.knowledge, self.taxonomy, evidence=evidence)

    def calibration(self, prior: float, alerts: int = N) -> BetaCalibration:
        return fit_unsafe_calibration(
            self.alerts[:alerts],
            [self.read] * alerts,
            self.ordinary,
            [self.read] * N,
            self.scenarios,
            prior,
            FitSettings(),
        )

    def probabilities(self, prior: float) -> tuple[float, float]:
        """P(unsafe) of the risky and of the common kind."""
        kinds = self.of(np.array([True, False]))
        model = self.scenarios(np.zeros(len(self.knowledge.kinds)))
        risks = model.risks([])
        found = self.calibration(prior).probabilities(model.unsafe_log_odds(kinds, [risks, risks]))
        return float(found[0, 0]), float(found[1, 0])


@pytest.fixture(scope="module")
def market(knowledge: Knowledge, taxonomy: Taxonomy) -> Market:
    from models.classifier.composing import load_boilerplate

    read = ListingReader(knowledge, load_boilerplate()).read(Listing(id="1", title="thing"))
    return Market(load_knowledge(taxonomy=taxonomy), taxonomy, read)


def test_what_fills_the_alerts_is_likelier_unsafe(market: Market) -> None:
    risky, common = market.probabilities(0.1)
    assert risky > 3 * common


@pytest.mark.parametrize("prior", [0.02, 0.1, 0.3])
def test_on_the_stated_market_the_mean_is_the_stated_prior(market: Market, prior: float) -> None:
    calibration = market.calibration(prior)
    # The evidence of the whole market stands in for that of the folds: the mean may differ a little.
    from models.classifier.market_evidence import market_evidence

    model = market.scenarios(market_evidence(market.alerts, market.ordinary))
    risks = model.risks([])
    mean = [
        float(calibration.probabilities(model.unsafe_log_odds(side, [risks] * N)).mean())
        for side in (market.alerts, market.ordinary)
    ]
    assert prior * mean[0] + (1 - prior) * mean[1] == pytest.approx(prior, rel=0.1)


def test_a_higher_prior_raises_every_probability(market: Market) -> None:
    assert all(low < high for low, high in zip(market.probabilities(0.05), market.probabilities(0.3), strict=True))


def test_few_alerts_leave_the_odds_of_the_knowledge_base(market: Market) -> None:
    calibration = market.calibration(0.1, alerts=49)
    assert calibration == BetaCalibration()
