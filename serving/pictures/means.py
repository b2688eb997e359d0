"""What pictures are read with: the rules of intake, the decoder, the fetcher and the captioners of some settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from models.captioning.building import build_chain
from models.captioning.chain import CaptionChain
from models.pictures.decoding import DecodeLimits
from models.pictures.isolation import IsolatedDecoder
from serving.captioners import captioner_settings
from serving.outgoing.addresses import AddressRules, Guard
from serving.pictures.fetching import Fetcher, FetchLimits
from serving.pictures.offered import Hosts, PictureRules
from serving.settings import Settings


@dataclass(frozen=True)
class PictureMeans:
    """The means; decoder and captioners start their processes with the first picture, and are to be closed."""

    rules: PictureRules
    decoder: IsolatedDecoder
    fetcher: Fetcher
    chain: CaptionChain

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return what the settings say.

        Raises
        ------
        InputError
            If a captioner is named that does not exist or lacks what it needs.
        """
        most_bytes = settings.picture_max_mb * 1_000_000
        rules = PictureRules(settings.picture_max, most_bytes, Hosts(settings.picture_hosts))
        guard = Guard(AddressRules(settings.outgoing_networks, https_only=False))
        return cls(
            rules,
            IsolatedDecoder(DecodeLimits(bytes=most_bytes, pixels=settings.picture_max_megapixels * 1_000_000)),
            Fetcher(rules.hosts, guard, FetchLimits(seconds=settings.picture_fetch_seconds, bytes=most_bytes)),
            build_chain(captioner_settings(settings)),
        )
