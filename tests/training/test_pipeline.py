"""Data and knowledge in, a model out: the same one each time, with everything it was made from in its manifest."""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from models.classifier.artifact import read_manifest
from models.classifier.classifier import HazardClassifier
from models.classifier.fit_settings import FitSettings
from models.domain.alert import Example
from models.domain.errors import InputError
from models.domain.listing import Listing
from models.domain.taxonomy import Taxonomy
from models.knowledge.base import load_knowledge
from models.plan.plan import Plan
from training.corpus.settings import CorpusSettings
from training.corpus.writer import write_corpus
from training.encoder_export import EMBEDDED
from training.finetuning import FinetuneSettings
from training.pipeline import TrainResult, train
from training.settings import TrainSettings

KINDS = (
    "laser-pointer",
    "magnetic-ball-set",
    "paperback-novel",
    "extension-lead",
    "skin-lightening-cream",
    "baby-rattle",
)
COLUMNS = ("id", "date", "lang", "title", "brand", "category", "description", "captions", "labels")


@pytest.fixture(scope="module")
def six_kinds(small_knowledge_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("six") / "knowledge"
    shutil.copytree(small_knowledge_dir, root)
    for file in (root / "kinds").glob("*.yaml"):
        family = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        kept = [{**kind, "near": []} for kind in family["kinds"] if kind["id"] in KINDS]
        file.unlink()
        if kept:
            file.write_text(yaml.dump({**family, "kinds": kept}, allow_unicode=True), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def examples(six_kinds: Path, taxonomy: Taxonomy) -> list[Example]:
    """90 unsafe listings in English over three years, one a week and more."""
    settings = CorpusSettings(size=600, seed=5, languages={"en": 1.0})
    written = write_corpus(load_knowledge(six_kinds), taxonomy, settings)
    unsafe = [corpus.to_example() for corpus in written if corpus.labels][:90]
    return [replace(e, id=f"x{i}", date=f"20{10 + i // 30}-{1 + i % 12:02}-03") for i, e in enumerate(unsafe)]


def table(path: Path, rows: Sequence[Example], rename: dict[str, str] | None = None) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for e in rows:
            labels = ";".join((rename or {}).get(label, label) for label in e.labels or ())
            writer.writerow([e.id, e.date, e.lang, e.title, e.brand, e.category, e.description, "", labels])
    return path


Run = Callable[..., TrainResult]
Tables = dict[str, tuple[Path, ...]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, six_kinds: Path) -> Run:
    """Train without a store, without fine-tuning, on six kinds."""

    def run(**settings: object) -> TrainResult:
        out = tmp_path_factory.mktemp("out") / "model"
        few = {"corpus_size": 72, "held_out": 50}
        given = {"out": out, "knowledge": six_kinds, "track": False, "finetune": "off", **few}
        progress = settings.pop("progress", None)
        return train(TrainSettings(**{**given, **settings}), progress)  # type: ignore[arg-type]

    return run


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory, examples: list[Example]) -> Tables:
    root = tmp_path_factory.mktemp("tables")
    ordinary = [replace(e, id=f"o{i}", title=f"{e.title} {i}", labels=()) for i, e in enumerate(examples[:25])]
    return {"examples": (table(root / "alerts.csv", examples),), "ordinary": (table(root / "ordinary.csv", ordinary),)}


@pytest.fixture(scope="module")
def told() -> list[tuple[str, int, int]]:
    """What the training of `trained` told on its way."""
    return []


@pytest.fixture(scope="module")
def trained(run: Run, tables: Tables, told: list[tuple[str, int, int]]) -> TrainResult:
    return run(progress=lambda *step: told.append(step), **tables)


@pytest.fixture(scope="module")
def corpus_alone(run: Run) -> TrainResult:
    return run()


def test_the_same_data_and_seed_give_the_same_model_and_the_same_figures(
    trained: TrainResult, run: Run, tables: Tables
) -> None:
    again = run(**tables)
    assert again.version == trained.version
    assert again.facts["metrics"] == trained.facts["metrics"]


def test_a_finetuned_model_is_calibrated_by_an_encoder_that_knows_no_answers(
    run: Run, tables: Tables, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HAZARDLENS_CACHE", str(tmp_path))
    finetuning = FinetuneSettings(epochs=1, batch=12, pairs=4, max_tokens=24)
    told: list[str] = []
    given = {"encoder": str(tiny_model), "finetune": "on", "finetuning": finetuning}
    result = run(progress=lambda stage, _done, _total: told.append(stage), **given, **tables)
    assert "encoding calibration" in told
    facts = result.facts["training"]
    assert Path(facts["encoder"]).parent == tmp_path / "finetuned"
    assert facts["fit"]["penalties"]["dense"] < FitSettings().penalties["dense"]


def test_layers_that_are_named_are_kept_and_said(run: Run, tiny_model: Path) -> None:
    whole, short = (run(encoder=str(tiny_model), layers=layers, compare=False) for layers in ("all", (1,)))
    assert [result.facts["training"]["layers"] for result in (whole, short)] == ["all", "1"]
    graphs = [(result.directory / "encoder.onnx").stat().st_size for result in (whole, short)]
    assert graphs[1] < graphs[0]
    assert "| its layers | 1 |" in (short.papers / "model_card.md").read_text(encoding="utf-8")


def test_another_seed_gives_another_model(corpus_alone: TrainResult, run: Run) -> None:
    assert run(seed=1, compare=False).version != corpus_alone.version


def test_a_model_of_the_corpus_alone_says_what_it_was_judged_on(corpus_alone: TrainResult) -> None:
    assert corpus_alone.evaluated_on == "corpus"
    assert corpus_alone.facts["data"] == []
    assert (corpus_alone.registered, corpus_alone.run_id) == ("", "")


def test_a_model_of_examples_is_judged_on_their_latest_part(trained: TrainResult) -> None:
    assert trained.evaluated_on == "examples"
    assert 10 <= trained.facts["metrics"]["headline"]["n"] <= 25


def test_the_manifest_holds_what_the_model_was_made_from(
    trained: TrainResult, six_kinds: Path, taxonomy: Taxonomy
) -> None:
    manifest = read_manifest(trained.directory)
    training = manifest.facts["training"]
    assert manifest.version == trained.version
    assert manifest.facts["labels"] == list(taxonomy.names)
    assert (training["encoder"], training["seed"], training["precision"]) == (EMBEDDED, 0, "int8")
    assert training["layers"] == "all", "of six kinds there are too few texts to leave any out"
    assert training["knowledge_sha256"] == load_knowledge(six_kinds).digest
    assert training["kind_listings"] >= 12 * len(KINDS)


def test_the_manifest_says_at_which_levels_held_out_ordinary_listings_land(trained: TrainResult) -> None:
    ordinary = read_manifest(trained.directory).facts["ordinary"]
    assert 0 < ordinary["n"] < 15
    assert sum(ordinary["share"].values()) == pytest.approx(1.0)


def test_the_manifest_holds_the_fingerprint_of_every_table(trained: TrainResult, tables: Tables) -> None:
    data = read_manifest(trained.directory).facts["data"]
    assert [item["rows"] for item in data] == [90, 25]
    digests = [hashlib.sha256(tables[name][0].read_bytes()).hexdigest() for name in ("examples", "ordinary")]
    assert all(digest in str(item) for digest, item in zip(digests, data, strict=True))


def test_cards_and_a_comparison_with_baselines_are_written_beside_the_model(trained: TrainResult) -> None:
    papers = Path(f"{trained.directory}-report")
    comparisons = trained.facts["metrics"]["comparisons"]
    assert [row["name"] for row in comparisons] == ["this model", "majority", "TF-IDF + LR", "frozen encoder + LR"]
    card = (papers / "model_card.md").read_text(encoding="utf-8")
    assert trained.version in card
    assert "TF-IDF + LR" in card
    assert set(trained.facts["profile"]) == {"train", "calibration", "test", "ordinary"}
    assert "| train |" in (papers / "data_card.md").read_text(encoding="utf-8")


def test_comparisons_can_be_left_out_and_the_model_is_the_same(run: Run, tables: Tables, trained: TrainResult) -> None:
    plain = run(compare=False, **tables)
    metrics = plain.facts["metrics"]
    assert plain.version == trained.version
    assert (metrics["comparisons"], metrics["captions"], metrics["label_noise"]["n"]) == ([], [], 0)


def test_a_report_is_written_beside_the_model(trained: TrainResult) -> None:
    report = next(Path(f"{trained.directory}-report").glob("*.html"))
    assert trained.version in report.read_text(encoding="utf-8")


def test_the_manifest_says_how_style_was_controlled(trained: TrainResult) -> None:
    style = read_manifest(trained.directory).facts["style"]
    assert style["pairs"] == 20
    assert 0 <= style["pairs_same_level"] <= 1


def test_without_judged_listings_the_guarantee_rests_on_written_ones_and_says_so(corpus_alone: TrainResult) -> None:
    (guarantee,) = HazardClassifier.load(corpus_alone.directory, threads=2).guarantees
    assert guarantee.source == "listings written from the knowledge base"
    assert guarantee.n == 50


def test_judged_listings_carry_the_guarantee(run: Run, tmp_path: Path) -> None:
    judged = tmp_path / "judged.csv"
    rows = [f"j{i},2026-03-{1 + i % 28:02},Green laser pointer 5000mW number {i},serious" for i in range(60)]
    rows += [f"k{i},2026-02-01,Crime novel paperback book number {i},none" for i in range(60)]
    judged.write_text("id,date,title,risk_level\n" + "\n".join(rows), encoding="utf-8")
    result = run(levelled=(judged,), compare=False)
    (guarantee,) = HazardClassifier.load(result.directory, threads=2).guarantees
    assert guarantee.source == "listings whose level a person gave"
    assert (guarantee.n, guarantee.positives, guarantee.calibrated_on) == (120, 60, "2026-03-28")
    assert guarantee.threshold is not None
    assert guarantee.threshold > 0.1


def test_a_table_of_judged_listings_without_a_level_is_refused(run: Run, tmp_path: Path) -> None:
    judged = tmp_path / "judged.csv"
    judged.write_text("id,title\n1,lamp\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"no row has a risk level .*column 'risk_level'"):
        run(levelled=(judged,))


def test_the_model_knows_its_kinds(trained: TrainResult, default_plan: Plan) -> None:
    model = HazardClassifier.load(trained.directory, threads=2)
    titles = {"laser-pointer": "Green laser pointer 5000mW", "paperback-novel": "Crime novel, paperback book"}
    for kind, title in titles.items():
        assert model.assess(Listing(id="1", title=title), default_plan).kinds[0].kind == kind


def test_progress_names_every_stage(trained: TrainResult, told: list[tuple[str, int, int]]) -> None:
    stages = {stage for stage, _, _ in told}
    assert {
        "reading and grouping the tables",
        "looking inside",
        "encoding product kinds",
        "fitting heads",
        "evaluating",
    } <= stages
    assert [step for step in told if not 0 <= step[1] <= max(step[2], 1)] == []


def test_a_foreign_taxonomy_trains_and_evaluates(
    run: Run, examples: list[Example], tmp_path: Path, default_plan: Plan
) -> None:
    foreign = tmp_path / "foreign.yaml"
    foreign.write_text(
        "name: house\nversion: 2\nrisk_types: [{name: eyes}, {name: swallowing}, {name: misc}]\n"
        "fallback_risk_type: misc\n",
        encoding="utf-8",
    )
    rename = {"damage to sight": "eyes", "choking": "swallowing", "injuries": "swallowing"}
    known = [replace(e, labels=tuple(rename.get(label, "misc") for label in e.labels or ())) for e in examples]
    result = run(taxonomy=foreign, examples=(table(tmp_path / "foreign.csv", known),), compare=False)
    assert result.evaluated_on == "examples"
    assert result.facts["metrics"]["headline"]["hazards"]["n"] > 0
    model = HazardClassifier.load(result.directory, threads=2)
    assert (model.taxonomy.id, model.taxonomy.names) == ("house@2", ("eyes", "swallowing", "misc"))
    answer = model.assess(Listing(id="1", title="Green laser pointer"), default_plan)
    assert {score.risk_type for score in answer.hazards} == {"eyes", "swallowing", "misc"}
    assert answer.hazards[0].risk_type == "eyes"


def test_an_unknown_label_stops_the_training_and_nothing_is_written(
    run: Run, examples: list[Example], tmp_path: Path
) -> None:
    wrong = table(tmp_path / "wrong.csv", [replace(e, labels=("doom",)) for e in examples])
    with pytest.raises(InputError, match=r"wrong\.csv"):
        run(out=tmp_path / "model", examples=(wrong,))
    assert not (tmp_path / "model").exists()


def test_a_faulty_knowledge_base_stops_the_training(run: Run, six_kinds: Path, tmp_path: Path) -> None:
    shutil.copytree(six_kinds, tmp_path / "faulty")
    file = next((tmp_path / "faulty" / "kinds").glob("*.yaml"))
    file.write_text(file.read_text(encoding="utf-8").replace("consumers:", "consumer:"), encoding="utf-8")
    with pytest.raises(InputError, match="hazardlens knowledge check"):
        run(out=tmp_path / "model", knowledge=tmp_path / "faulty")
    assert not (tmp_path / "model").exists()


def test_an_output_that_holds_something_else_is_left_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "diary.txt").write_text("mine")
    with pytest.raises(InputError, match="holds something else"):
        run(out=tmp_path / "model")
    assert (tmp_path / "model" / "diary.txt").read_text() == "mine"


def test_a_way_to_fine_tune_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match=r"finetune 'maybe' .*auto, on, off"):
        TrainSettings(out=Path("x"), finetune="maybe")  # type: ignore[arg-type]


def test_too_few_listings_to_judge_by_are_refused() -> None:
    with pytest.raises(InputError, match=r"held_out 24 .*at least 25"):
        TrainSettings(out=Path("x"), held_out=24)


@pytest.mark.parametrize(("given", "why"), [("bf16", "multiplies no bf16 matrices on a CPU"), ("int4", "int4")])
def test_a_precision_that_cannot_be_served_is_refused(given: str, why: str) -> None:
    with pytest.raises(InputError, match=rf"{why}.*int8, fp32"):
        TrainSettings(out=Path("x"), precision=given)  # type: ignore[arg-type]


def test_another_encoder_reads_the_seller_s_words_without_gloss(
    run: Run, tiny_model: Path, corpus_alone: TrainResult
) -> None:
    own = HazardClassifier.load(corpus_alone.directory).read(Listing(id="1", title="лазерная указка"))
    trained = run(encoder=str(tiny_model), compare=False)
    other = HazardClassifier.load(trained.directory).read(Listing(id="1", title="лазерная указка"))
    assert "laser pointer" in own.text.text
    assert "лазерная указка" in other.text.text
