"""How the code is laid out, in figures: `python tests/e2e/house.py [FOLDER OF A CHECKOUT]`.

Counts what a newcomer meets: modules a folder, lines a file, modules with one importer, and how much
of the code is comment. Only the source is read; nothing is imported.
"""

from __future__ import annotations

import ast
import io
import statistics
import sys
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("trm_engine", "engine", "trm_tui")


def modules(checkout: Path) -> dict[str, Path]:
    """Return every module of the packages by its dotted name, `__init__` by its package's."""
    found = {}
    for package in PACKAGES:
        for path in sorted((checkout / package).rglob("*.py")):
            name = ".".join(path.relative_to(checkout).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def imported(tree: ast.AST, known: dict[str, Path]) -> Iterator[str]:
    """Yield the modules of the packages that a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in known else node.module for name in names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def comment_lines(source: str) -> int:
    """Return how many lines hold a comment that is no instruction to a tool."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = (token for token in tokens if token.type == tokenize.COMMENT)
    return sum(not token.string.startswith(("# noqa", "# type:")) for token in comments)


def main() -> None:
    checkout = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    known = modules(checkout)
    files = {name: path for name, path in known.items() if path.name != "__init__.py"}
    importers: dict[str, set[str]] = defaultdict(set)
    lines, comments = [], 0
    for name, path in known.items():
        source = path.read_text(encoding="utf-8")
        for other in imported(ast.parse(source), known):
            importers[other].add(name)
        if name in files:
            lines.append(source.count("\n"))
            comments += comment_lines(source)
    folders = Counter(str(path.parent.relative_to(checkout)) for path in files.values())
    fullest = ", ".join(f"{folder} {count}" for folder, count in folders.most_common(5))
    deciles = statistics.quantiles(lines, n=10)
    single = sum(len(importers[name]) == 1 for name in files)
    print(f"files                    {len(files)}, {sum(lines):,} lines, in {len(folders)} folders")
    print(f"modules a folder         {max(folders.values())} at most: {fullest}")
    print(
        f"lines a file             median {statistics.median(lines):.0f}, p90 {deciles[-1]:.0f}, {max(lines)}"
    )
    print(f"files under 40 lines     {sum(count < 40 for count in lines)}")
    print(f"modules of one importer  {single} of {len(files)}")
    print(f"lines with a comment     {comments / sum(lines):.1%}")


if __name__ == "__main__":
    main()
