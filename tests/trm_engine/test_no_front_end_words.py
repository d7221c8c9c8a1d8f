"""The engine names no option and no command: errors carry remedies, and front ends word them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import trm_engine

ROOT = Path(trm_engine.__file__).parent
WORDS = re.compile(r"(?<![\w-])--[a-z]|\btrm-tui [a-z]|\b(?:eval|solve|run|data [a-z]+) --")


def texts(tree: ast.AST) -> Iterator[str]:
    """Yield the strings of a module that may be shown; docstrings are for who reads the code."""
    documents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            yield node.value


def test_no_text_of_the_engine_is_an_option_or_a_command() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {text}"
        for path in sorted(ROOT.rglob("*.py"))
        for text in texts(ast.parse(path.read_text(encoding="utf-8")))
        if WORDS.search(text)
    ]
    assert found == ["compute/kernels.py: --version"], "which is what a compiler is asked"
