"""Are pictures that are used again found, are different ones left alone, and how long does a search of a million take?

Draws 2,000 different pictures, edits each in twelve ways, and asks for every edited one among all 2,000. A find is the
picture itself at no more than the distance in force; a false match is any other one, also among the originals. The
search is timed beside comparing with every hash, on a million random hashes with some planted near the wanted one.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from drawn_pictures import EDITS, drawn

from models.pictures.hash_index import HashIndex, PictureIndex
from models.pictures.identity import SAME, Fingerprint, distances, fingerprint


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=2_000)
    parser.add_argument("--hashes", type=int, default=1_000_000)
    options = parser.parse_args()
    recall(options.pictures)
    speed(options.hashes)


def recall(count: int) -> None:
    """Print recall by edit, and false matches."""
    begun = time.process_time()
    originals = [fingerprint(drawn(i)) for i in range(count)]
    each = (time.process_time() - begun) / count
    print(f"{count:,} pictures, {len(EDITS)} edits, distance at most {SAME}")
    print(f"{1_000 * each:.1f} ms of processor time to draw and hash one")
    index = PictureIndex(originals)
    wrong = sum(len(set(index.same(picture)) - {i}) for i, picture in enumerate(originals)) // 2
    print(f"false matches among the originals: {wrong} pairs of {count * (count - 1) // 2:,}")
    total = 0
    for name, edit in EDITS.items():
        found, strange = 0, 0
        for i in range(count):
            same = index.same(fingerprint(edit(drawn(i))))
            found += i in same
            strange += len(set(same) - {i})
        total += found
        print(f"{name:40} recall {found / count:.4f}   false matches {strange}")
    print(f"{'all':40} recall {total / count / len(EDITS):.4f}")


def speed(count: int) -> None:
    """Print the time of a search, by the index and by comparing with all."""
    chance = np.random.default_rng(0)
    hashes = chance.integers(0, 2**63, (count, 4), dtype=np.uint64) * np.uint64(2)
    wanted = hashes[:20].copy()
    begun = time.perf_counter()
    index = HashIndex(hashes)
    print(f"index of {count:,} hashes made in {time.perf_counter() - begun:.1f} s")
    lasted: dict[str, list[float]] = {"index": [], "comparing with all": []}
    for row in wanted:
        begun = time.perf_counter()
        places, _ = index.near(row)
        lasted["index"].append(time.perf_counter() - begun)
        begun = time.perf_counter()
        plain = np.flatnonzero(distances(hashes, row) <= SAME)
        lasted["comparing with all"].append(time.perf_counter() - begun)
        assert places.tolist() == plain.tolist()
    for name, seconds in lasted.items():
        print(f"{name:20} median {1_000 * np.median(seconds):.2f} ms, longest {1_000 * max(seconds):.2f} ms")
    pictures = PictureIndex([Fingerprint(hashes, hashes[:0])])
    asked = fingerprint(drawn(0))
    begun = time.perf_counter()
    pictures.same(asked)
    milliseconds = 1_000 * (time.perf_counter() - begun)
    print(f"a picture with all its {len(asked.hashes) + len(asked.mirrored)} hashes: {milliseconds:.1f} ms")


if __name__ == "__main__":
    main()
