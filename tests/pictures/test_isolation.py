"""Decoding in a process that the system holds to time and memory."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from models.domain.errors import InputError
from models.pictures.decoding import DecodeLimits, decode
from models.pictures.isolation import Confinement, IsolatedDecoder
from tests.benchmarks.hostile_files import HostileFile, hostile_files, picture, saved


@pytest.fixture(scope="module")
def decoder() -> Iterator[IsolatedDecoder]:
    with IsolatedDecoder(confinement=Confinement(seconds=0.8)) as decoder:
        yield decoder


@pytest.fixture(scope="module")
def hostile() -> dict[str, HostileFile]:
    return {file.name: file for file in hostile_files(quick=True)}


def test_it_reads_what_the_same_process_would(decoder: IsolatedDecoder) -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        data = saved(picture(), kind)
        here, there = decode(data), decoder.decode(data)
        assert (there.sha256, there.width, there.height, there.format) == (here.sha256, 320, 240, kind)
        assert there.image.tobytes() == here.image.tobytes()


def test_each_hostile_file_is_refused_or_read_and_the_next_picture_is_read(
    decoder: IsolatedDecoder, hostile: dict[str, HostileFile]
) -> None:
    honest = saved(picture(), "JPEG")
    for file in hostile.values():
        try:
            decoder.decode(file.data)
            read = True
        except InputError as refusal:
            assert refusal.message  # noqa: PT017
            assert refusal.hint  # noqa: PT017
            read = False
        assert read is not file.refused, file.name
        assert decoder.decode(honest).width == 320, file.name


def test_what_takes_too_long_is_ended_and_says_so(decoder: IsolatedDecoder, hostile: dict[str, HostileFile]) -> None:
    with pytest.raises(InputError, match=r"takes more than 0.8 s to decode"):
        decoder.decode(hostile["JPEG with 20,000 scans"].data)


def test_memory_is_bounded_by_the_system() -> None:
    data = saved(Image.new("RGB", (4_900, 4_900)), "PNG")
    with (
        IsolatedDecoder(confinement=Confinement(memory=100_000_000)) as decoder,
        pytest.raises(InputError, match="more memory than is given"),
    ):
        decoder.decode(data)


def test_a_process_that_dies_costs_one_picture(decoder: IsolatedDecoder) -> None:
    data = saved(picture(), "PNG")
    decoder.decode(data)
    first = decoder.process_id
    assert first is not None
    os.kill(first, signal.SIGKILL)
    decoder.decode(data)
    assert decoder.process_id != first


def test_its_process_knows_nothing_of_our_environment(
    monkeypatch: pytest.MonkeyPatch, decoder: IsolatedDecoder
) -> None:
    monkeypatch.setenv("HAZARDLENS_DATABASE_URL", "postgresql://user:secret@host/name")
    with IsolatedDecoder() as fresh:
        fresh.decode(saved(picture(), "PNG"))
        assert b"secret" not in Path(f"/proc/{fresh.process_id}/environ").read_bytes()


def test_threads_share_one_process() -> None:
    found: list[int] = []
    with IsolatedDecoder(DecodeLimits(kept_side=64)) as decoder:

        def read(width: int) -> None:
            found.append(decoder.decode(saved(picture((width, 40)), "PNG")).width)

        threads = [threading.Thread(target=read, args=(width,)) for width in range(40, 60)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(found) == list(range(40, 60))
