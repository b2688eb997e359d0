"""Several captioners in order, each within its time, each answer kept by the picture's hash."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from models.captioning.cache import CaptionCache
from models.captioning.captioner import Captioner, CaptioningError, PictureToRead
from models.domain.listing import LIMITS, Caption

_LOG = logging.getLogger(__name__)

MOST_CAPTIONS = 12
"""Captions of one picture; the words of a listing have room for `LIMITS`."""


class CaptionChain:
    """Asks captioners one after the other; what one of them fails at is told, and the others go on.

    Parameters
    ----------
    captioners : sequence of Captioner
        In the order in which they are asked; a later one sees what the earlier ones gave.
    cache : CaptionCache, optional
        Where answers are kept.
    """

    def __init__(self, captioners: Sequence[Captioner], cache: CaptionCache | None = None) -> None:
        self.captioners = tuple(captioners)
        self.cache = cache

    def __call__(self, picture: PictureToRead, given: Sequence[str] = ()) -> list[Caption]:
        """Return the captions of a picture; never raises for a picture's sake.

        Parameters
        ----------
        given : sequence of str
            Words that came with the picture: its alt text.

        Returns
        -------
        list of Caption
            Each names the picture. Where a captioner failed, a caption without text says why in `failure`, with
            confidence 0.
        """
        name = picture.sha256
        told = [Caption(text=text[: LIMITS["caption"]], picture=name) for text in given if text.strip()]
        captions = list(told)
        for captioner in self.captioners:
            captions += self._asked(captioner, picture, captions)
        return captions

    def close(self) -> None:
        """End what captioners keep running; a later picture starts it again."""
        for captioner in self.captioners:
            close = getattr(captioner, "close", None)
            if close is not None:
                close()

    def _asked(self, captioner: Captioner, picture: PictureToRead, before: Sequence[Caption]) -> list[Caption]:
        kept = self.cache.get(picture.sha256, captioner.key) if self.cache and captioner.key else None
        if kept is not None:
            return kept
        try:
            found = captioner.captions(picture, before)
        except CaptioningError as error:
            return [_failed(captioner.source, picture, str(error))]
        except Exception as error:  # noqa: BLE001  (one picture's trouble, not the listing's; it is logged and told)
            _LOG.exception("captioner %s broke at picture %s", captioner.source, picture.sha256)
            return [_failed(captioner.source, picture, f"broke with {type(error).__name__}")]
        captions = [caption.model_copy(update={"picture": picture.sha256}) for caption in found[:MOST_CAPTIONS]]
        if self.cache and captioner.key:
            self.cache.put(picture.sha256, captioner.key, captions)
        return captions


def _failed(source: str, picture: PictureToRead, why: str) -> Caption:
    return Caption(
        text="", source=source, confidence=0.0, picture=picture.sha256, failure=why[: LIMITS["caption failure"]]
    )
