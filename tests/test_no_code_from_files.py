"""No file can run code: every place in the source that reads foreign bytes as objects is found and judged."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
SOURCES = [path for folder in ("trm_engine", "trm_tui") for path in sorted((CHECKOUT / folder).rglob("*.py"))]

MODULES = (
    "_pickle",
    "cPickle",
    "cloudpickle",
    "dill",
    "joblib",
    "jsonpickle",
    "marshal",
    "pickle",
    "runpy",
    "shelve",
)
BUILTINS = ("compile", "eval", "exec", "__import__")
LOADERS = ("jit.load", "torch.load", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "pandas.read_pickle")
NUMPY = ("np.load", "numpy.load", "np.save", "np.savez", "np.lib.format.read_array", "np.fromregex")


def judged(source: str) -> Iterator[str]:
    """Yield what in a module's source could run code that a file holds."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            module = getattr(node, "module", None) or ""
            names = [module, *(alias.name for alias in node.names)]
            yield from (f"imports {name}" for name in names if name.split(".")[0] in MODULES)
        elif isinstance(node, ast.Call):
            yield from _judged_call(node)


def _judged_call(call: ast.Call) -> Iterator[str]:
    name = ast.unparse(call.func)
    options = {word.arg: ast.unparse(word.value) for word in call.keywords}
    if name in BUILTINS:
        yield f"calls {name}"
    if name == "torch.load":
        if options.get("weights_only") != "True":
            yield "calls torch.load without weights_only=True"
    elif name.endswith(LOADERS):
        yield f"calls {name}"
    if name in NUMPY and options.get("allow_pickle") != "False":
        yield f"calls {name} without allow_pickle=False"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_no_module_lets_a_file_run_code(path: Path) -> None:
    assert list(judged(path.read_text(encoding="utf-8"))) == []


def test_torch_reads_files_in_one_place() -> None:
    places = [path.name for path in SOURCES if "torch.load(" in _calls(path)]
    assert places == ["weights_file.py"]


def _calls(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return " ".join(f"{ast.unparse(node.func)}(" for node in ast.walk(tree) if isinstance(node, ast.Call))


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import a, dill.source",
        "eval(text)",
        "exec(text)",
        "import torch\ntorch.load(path)",
        "torch.load(path, weights_only=False)",
        "torch.load(path, weights_only=trusted)",
        "torch.jit.load(path)",
        "yaml.load(text)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "def f():\n    return [eval(x) for x in y]",
    ],
)
def test_what_could_run_code_is_found(source: str) -> None:
    assert list(judged(source))


@pytest.mark.parametrize(
    "source",
    [
        "torch.load(path, weights_only=True)",
        "np.load(path, allow_pickle=False)",
        "re.compile('a')",
        "import pickletools",
    ],
)
def test_what_cannot_run_code_is_left_alone(source: str) -> None:
    assert list(judged(source)) == []
