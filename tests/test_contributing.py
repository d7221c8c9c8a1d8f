"""The map in CONTRIBUTING: every file that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILES = {
    path.relative_to(ROOT).as_posix()
    for folder in ("trm_engine", "trm_tui", "tests")
    for path in (ROOT / folder).rglob("*.py")
}


def test_every_file_that_the_map_names_is_there() -> None:
    named = re.findall(r"`([a-z_/]+\.py)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert len(named) > 20
    missing = [name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in FILES)]
    assert missing == []
