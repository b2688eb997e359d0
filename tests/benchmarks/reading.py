"""Text and marks read on packages that are drawn in ten scripts: clean, turned, on texture, small.

The error rate counts the characters of each printed line that differ in the best place of what was read, gaps apart;
the share of marks is that of the printed ones that were found. Scripts without a font on this machine are named and
left out. Without Tesseract the scripts that RapidOCR does not know stay unread; `--tesseract all` reads them too.
"""

from __future__ import annotations

import argparse
import resource
import time
import unicodedata

from drawn_packages import CONDITIONS, SCRIPTS, Package, font_of, packages

from models.captioning.mark_reading import MarkCaptioner
from models.captioning.ocr import OcrCaptioner

KNOWN = ("Latin", "Latin, many accents", "Han", "Kana and Han")
"""Scripts that RapidOCR's shipped models know; of Vietnamese they lack some accents."""


def main() -> None:
    """Print a table of scripts and conditions, then the totals."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--tesseract", default="", help="language packs such as rus+ara, or all")
    arguments.add_argument("--packages", type=int, default=5, help="for each script and condition")
    given = arguments.parse_args()
    reader, marker = OcrCaptioner(given.tesseract), MarkCaptioner()
    print(reader.key)
    drawn = [script for script in SCRIPTS if font_of(script)]
    print(f"not drawn, no font here: {', '.join(set(SCRIPTS) - set(drawn)) or 'none'}")
    print(f"{'script':22}" + "".join(f"{condition:>22}" for condition in CONDITIONS))
    print(f"{'':22}" + "".join(f"{'errors':>11}{'marks':>11}" for _ in CONDITIONS))
    totals: dict[tuple[bool, str], list[tuple[int, int]]] = {}
    seconds, count = 0.0, 0
    for script in drawn:
        cells = []
        for condition in CONDITIONS:
            errors, letters, found, printed = 0, 0, 0, 0
            for package in packages(script, condition, given.packages):
                begun = time.process_time()
                captions = reader.captions(package, ())
                seconds, count = seconds + time.process_time() - begun, count + 1
                wrong, all_letters = differing(package, "".join(caption.text for caption in captions))
                errors, letters = errors + wrong, letters + all_letters
                marks = {caption.mark for caption in marker.captions(package, captions)}
                found, printed = found + len(marks & package.marks), printed + len(package.marks)
            cells.append(f"{errors / letters:>10.1%} {found / printed:>10.0%}")
            totals.setdefault((script in KNOWN, condition), []).append((found, printed))
        print(f"{script:22}" + " ".join(cells), flush=True)
    for known, name in ((True, "scripts of the shipped models"), (False, "other scripts")):
        shares = []
        for condition in CONDITIONS:
            pairs = totals.get((known, condition), [])
            if pairs:
                shares.append(f"{condition} {sum(f for f, _ in pairs) / sum(p for _, p in pairs):.0%}")
        print(f"marks found, {name}: {', '.join(shares)}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{seconds / count:.1f} s of processor time a picture, Tesseract's own apart; {peak:.0f} MB at most")


def differing(package: Package, read: str) -> tuple[int, int]:
    """Return how many characters of the printed lines differ, and how many there are."""
    whole = squeezed(read)
    lines = [squeezed(line) for line in package.lines]
    return sum(min(len(line), fewest_errors(line, whole)) for line in lines), sum(map(len, lines))


def squeezed(text: str) -> str:
    """Return a text composed and without gaps."""
    return "".join(unicodedata.normalize("NFC", text).split())


def fewest_errors(line: str, whole: str) -> int:
    """Return the edit distance of a line to the piece of a text that fits it best (Sellers 1980)."""
    row = list(range(len(line) + 1))
    best = row[-1]
    for letter in whole:
        new = [0]
        for i, wanted in enumerate(line, start=1):
            new.append(min(row[i] + 1, new[-1] + 1, row[i - 1] + (letter != wanted)))
        row = new
        best = min(best, row[-1])
    return best


if __name__ == "__main__":
    main()
