"""What is behind the configuration editor knows no Textual and loads no torch."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import trm_tui.workbench.editor


def test_the_editor_s_model_needs_neither_textual_nor_torch() -> None:
    names = [
        f"trm_tui.workbench.editor.{module.name}"
        for module in pkgutil.iter_modules(trm_tui.workbench.editor.__path__)
    ]
    assert len(names) >= 7
    code = f"import sys, {', '.join(names)}; print(*sorted({{'textual', 'torch'}} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == ""
