"""``python -m hazardlens`` is ``hazardlens``."""

from __future__ import annotations

import sys

from hazardlens.cli import main

if __name__ == "__main__":
    sys.exit(main())
