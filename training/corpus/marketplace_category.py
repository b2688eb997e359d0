"""The category that a marketplace shows: paths, slugs, numbered shelves, JSON lists, or nothing."""

from __future__ import annotations

import json
from random import Random

from models.knowledge.kinds import ProductKind
from training.corpus.seller_noise import SellerNoise


def marketplace_category(kind: ProductKind, name: str, language: str, noise: SellerNoise, rng: Random) -> str:
    """Return a category string for a product.

    Parameters
    ----------
    name : str
        The name under which the listing sells it; marketplaces make their finest categories of such names.
    """
    luck = rng.random()
    shelf = kind.category
    family = kind.family.capitalize()
    if luck < 0.2:
        return ""
    if luck < 0.45:
        return shelf
    if luck < 0.58:
        return f"{shelf} > {family}"
    if luck < 0.68:
        return family
    if luck < 0.78:
        return f"{family} > {name}"
    if luck < 0.88:
        return noise.slug(name, language)
    if luck < 0.94:
        return json.dumps([shelf, family, name], ensure_ascii=False)
    return f"{int(rng.random() * 30)}_{noise.slug(shelf.split('/')[0].split()[0], 'en')}"
