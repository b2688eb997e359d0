"""The console with 100,000 assessments in the store: time of a page on the server, and until a browser can use it."""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
from load import KEYS, ServerProcess
from playwright.sync_api import sync_playwright

from models.classifier.classifier import HazardClassifier
from models.domain.assessment import assessment_id
from models.domain.resources import datasets_dir
from models.plan.reading import load_plan
from models.sources.listings import read_listings
from serving.review.browsing import Filter
from serving.review.desk import ReviewDesk
from serving.setting_rules import desk_rules
from serving.settings import Settings
from serving.store.assessments import Answered, AssessmentStore
from serving.store.database import open_database
from serving.store.migrating import migrate

CHROMIUM = Path("/usr/bin/chromium")
_CHUNK = 2_000
_TIMING = """() => {
  const found = performance.getEntriesByType("navigation")[0];
  return [found.responseEnd, found.domContentLoadedEventEnd, found.loadEventEnd].map((at) => at - found.startTime);
}"""


def main() -> None:
    """Print medians in milliseconds."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--model", type=Path, default=Path("var/models/default"))
    arguments.add_argument("--assessments", type=int, default=100_000)
    arguments.add_argument("--calls", type=int, default=60)
    arguments.add_argument("--store", type=Path, help="SQLite file that is filled once and used again by later runs")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as place:
        url = f"sqlite:///{given.store.resolve() if given.store else Path(place) / 'h.db'}"
        settings = Settings(model=given.model, database_url=url, review_learn_daily=0)
        waiting = fill(settings, given.assessments)
        server = ServerProcess(given.model, HAZARDLENS_DATABASE_URL=url)
        with server as address:
            measure(address, waiting, given.calls)


def fill(settings: Settings, wanted: int) -> list[int]:
    """Keep so many assessments, most of them decided long ago or published; return items that wait."""
    database = open_database(settings.database_url)
    migrate(database)
    desk = ReviewDesk(database, desk_rules(settings))
    store = AssessmentStore(database, desk.kept)
    begun = time.perf_counter()
    there = store.count()
    chunk: list[Answered] = []
    for answer in itertools.islice(answers(settings), there, wanted) if there < wanted else ():
        chunk.append(answer)
        if len(chunk) == _CHUNK:
            store.save(chunk)
            chunk = []
    store.save(chunk)
    now = dt.datetime.now(dt.UTC)
    found = desk.browsing.page(Filter(), now, limit=500)
    print(
        f"{store.count():,} assessments, {desk.browsing.count(Filter(), now):,} items wait,"
        f" kept in {time.perf_counter() - begun:.0f} s"
    )
    database.dispose()
    return [item.id for item in found]


def answers(settings: Settings) -> Iterator[Answered]:
    """Yield the example listings under ever new ids, as the model assesses them."""
    model, plan = HazardClassifier.load(settings.model), load_plan()
    rows, _ = read_listings(datasets_dir() / "samples" / "listings.jsonl")
    known = [(row.listing, model.assess(row.listing, plan)) for row in rows if row.listing is not None]
    for turn in range(1_000_000):
        for listing, assessment in known:
            key = f"{listing.id}-{turn}"
            named = listing.model_copy(update={"id": key, "seller_id": f"seller-{turn % 5_000}"})
            own = assessment_id(assessment.content_hash, key, assessment.versions)
            yield Answered(named, assessment.model_copy(update={"id": own, "listing_id": key}))


def measure(address: str, waiting: list[int], calls: int) -> None:
    """Ask for pages one after another, then in a browser."""
    headers = {"Authorization": f"Bearer {KEYS[address]}"}
    with httpx.Client(base_url=address, headers=headers, timeout=30) as client:
        pages: dict[str, Callable[[int], str]] = {
            "queue": lambda _: "/review",
            "its counts": lambda _: "/review/counts",
            "queue, filtered": lambda n: f"/review?level={('serious', 'high')[n % 2]}&language=en",
            "queue, searched": lambda n: f"/review?text={('laser', 'baby', 'lamp')[n % 3]}",
            "item": lambda n: f"/review/items/{waiting[n % len(waiting)]}",
            "dashboard, 30 days": lambda _: "/review/dashboard?days=30",
            "dashboard, a year": lambda _: "/review/dashboard?days=365",
            "why (explained anew)": lambda n: f"/review/items/{waiting[n % len(waiting)]}/why",
        }
        for name, path in pages.items():
            taken = []
            for number in range(calls):
                begun = time.perf_counter()
                client.get(path(number)).raise_for_status()
                taken.append(1000 * (time.perf_counter() - begun))
            first, median = taken[0], statistics.median(taken)
            print(f"{name:22s} median {median:6.1f} ms, first {first:6.1f} ms, worst {max(taken):6.1f} ms")
    if not CHROMIUM.exists():
        print(f"no browser: {CHROMIUM} is missing")
        return
    with sync_playwright() as playwright:
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.goto(f"{address}/#key={KEYS[address]}")
        page.wait_for_selector("#form")
        for name, paths in (("queue", ["/review"] * 15), ("item", [f"/review/items/{n}" for n in waiting[:15]])):
            taken = []
            for path in paths:
                page.goto(address + path, wait_until="load")
                taken.append(page.evaluate(_TIMING))
            answered, parsed, loaded = (statistics.median(each) for each in zip(*taken, strict=True))
            print(
                f"{name:22s} usable in the browser after {loaded:.0f} ms (median; answer whole after {answered:.0f},"
                f" page parsed and scripts run after {parsed:.0f})"
            )
        browser.close()


if __name__ == "__main__":
    main()
