"""What a start begins with before it imports the rest of the server, which takes most of its time."""

from __future__ import annotations

import threading


def begin_unpacking() -> None:
    """Unpack the table of languages on a thread: half a second that holds no lock of the interpreter."""
    threading.Thread(target=_unpack, name="languages", daemon=True).start()


def _unpack() -> None:
    from models.classifier.language import identifier

    identifier()
