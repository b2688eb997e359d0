"""Other explainers of the same texts: SHAP, LIME, gradient x input. Each gives one score a word.

SHAP and LIME ask the model about hundreds of versions of the text; both get the words that ours ranks, and versions in
which words are taken away, not replaced. They are no part of the project: pip install shap lime
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.classifier.classifier import HazardClassifier
from models.classifier.kind_model import name_strengths
from models.domain.listing import Listing
from training.faithfulness import Case

Array = NDArray[np.float64]

GONE = "\ue000"
"""Stands for a word that was taken away; a code point that no text uses."""
LIME_SAMPLES = 1_000
"""Its own default is 5,000: five times as slow."""


def title_of(text: str) -> Listing:
    """Return a text as a listing of one field."""
    return Listing(id="1", title=" ".join(text.replace(GONE, " ").split()), language="en")


class _Words:
    """A tokenizer for SHAP's text masker that splits where our words begin."""

    def __init__(self, starts: Sequence[int]) -> None:
        self.starts = list(starts)

    def __call__(self, text: str, return_offsets_mapping: bool = True) -> dict[str, Any]:
        starts = self.starts if len(text) > 1 else [0] * len(text)
        ends = [*starts[1:], len(text)]
        return {"input_ids": list(range(len(starts))), "offset_mapping": list(zip(starts, ends, strict=False))}

    def decode(self, _: Any) -> str:
        return ""


def pieces(case: Case) -> list[int]:
    """Return where each word's piece of the title begins; a piece is the word with what follows it."""
    return [0, *(start for _, start, _ in case.places[1:])]


def asked(model: HazardClassifier, case: Case, texts: Sequence[str]) -> Array:
    """Return P(main hazard | unsafe) of some versions of a text."""
    result: Array = model.predict([title_of(str(text)) for text in texts]).given_unsafe[:, case.hazard]
    return result


def shap_scores(model: HazardClassifier, case: Case, evaluations: int | str = "auto") -> Array:
    """Partition explainer over a text masker."""
    import shap

    masker = shap.maskers.Text(_Words(pieces(case)), mask_token=GONE, collapse_mask_token=False)
    explainer = shap.Explainer(lambda texts: asked(model, case, list(texts)), masker, algorithm="partition")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = explainer([case.listing.title], max_evals=evaluations, silent=True)
    return np.array(found.values[0], dtype=np.float64)


def lime_scores(model: HazardClassifier, case: Case, seed: int) -> Array:
    """Return a local linear model over random versions of the text."""
    from lime.lime_text import LimeTextExplainer

    starts, text = pieces(case), case.listing.title
    tokens = [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]
    explainer = LimeTextExplainer(
        class_names=["no", "yes"], bow=False, mask_string=GONE, split_expression=lambda _: tokens, random_state=seed
    )

    def both(texts: Sequence[str]) -> Array:
        p = asked(model, case, texts)
        return np.stack([1 - p, p], axis=1)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = explainer.explain_instance(text, both, num_features=len(tokens), num_samples=LIME_SAMPLES)
    scores = np.zeros(len(tokens))
    for i, weight in found.as_map()[1]:
        scores[i] = weight
    return scores


class GradientTimesInput:
    """Gradient of the hazard's logit with the encoder's word embeddings, times these; in PyTorch, before quantisation.

    The n-gram features have no gradient and are left out; the knowledge feature is followed through the kinds.
    """

    def __init__(self, model: HazardClassifier) -> None:
        import torch

        from training.encoder_export import EMBEDDED, load_sentence_transformer

        self.torch, self.model = torch, model
        self.transformer = load_sentence_transformer(EMBEDDED)[0].auto_model.eval()

    def __call__(self, case: Case) -> Array:
        """Return one score a word."""
        torch, model = self.torch, self.model
        read, opinion = case.explained.read, case.explained.opinion
        encoded = model.encoder._tokenizer.encode(read.text.text)
        mask = torch.ones(1, len(encoded.ids))
        embedded = self.transformer.get_input_embeddings()(torch.tensor([encoded.ids])).detach().requires_grad_(True)
        hidden = self.transformer(inputs_embeds=embedded, attention_mask=mask).last_hidden_state
        embedding = torch.nn.functional.normalize(hidden.mean(dim=1), dim=-1)[0]
        names = torch.tensor(name_strengths([read.text], model.knowledge)[0]) * model.kind_model.name_bonus
        kinds = torch.tensor(model.kind_model.weights) @ embedding + torch.tensor(model.kind_model.bias)
        weight = torch.softmax(kinds.double() / model.kind_model.temperature + names, -1)
        weight = weight * torch.tensor(opinion.risks.unsafe)
        share = (weight @ torch.tensor(opinion.risks.share[:, case.hazard]) / weight.sum()).clamp(1e-3, 1 - 1e-3)
        logit = torch.tensor(model.heads.dense[case.hazard]) @ embedding
        logit = logit.double() + float(model.heads.knowledge[case.hazard]) * torch.logit(share)
        (gradient,) = torch.autograd.grad(logit, embedded)
        per_token = (gradient * embedded).sum(-1)[0].detach().numpy().astype(np.float64)
        scores = np.zeros(len(case.places))
        for (start, end), score in zip(encoded.offsets, per_token, strict=True):
            (place,) = read.text.origins([(start, end)]) if end > start else (None,)
            for i, (field, s, e) in enumerate(case.places):
                if place is not None and place[0] == field and s < place[2] and e > place[1]:
                    scores[i] += score
                    break
        return scores
