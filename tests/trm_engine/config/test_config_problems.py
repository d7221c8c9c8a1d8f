"""Everything that can be wrong with a configuration is said, all at once, by name."""

from __future__ import annotations

import pytest

from trm_engine.config import loads
from trm_engine.config.describe import show
from trm_engine.config.problems import MOST_EXPLAINED
from trm_engine.errors import ConfigError
from trm_engine.tasks.sudoku.config import SudokuConfig  # noqa: F401  (registers the task)

TASK = '[task]\nkind = "sudoku"\n'


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        loads(text, "a.toml")
    assert str(caught.value).startswith("a.toml: ")
    return caught.value.problems


BAD = [
    # Numbers out of range.
    ("[train]\nlr = 30.0", "[train] lr: 30.0 is too large; at most 10"),
    ("[train]\nlr = 0.0", "[train] lr: 0.0 is too small; must be above 0"),
    ("[train]\nema = 1.0", "[train] ema: 1.0 is too large; must be below 1"),
    ("[train]\nbeta1 = -0.1", "[train] beta1: -0.1 is too small; at least 0"),
    ("[train]\nsteps = 0", "[train] steps: 0 is too small; at least 1"),
    ("[train]\nseed = 9223372036854775808", "[train] seed: 9223372036854775808 is too large"),
    ("[model]\nlayers = 33", "[model] layers: 33 is too large; at most 32"),
    ("[model]\nlayers = 0x" + "f" * 5000, "[model] layers: a number of more than 64 bits is too large"),
    ("[model]\nhidden_size = 2", "[model] hidden_size: 2 is too small; at least 4"),
    ("[checkpoint]\nkeep = 1", "[checkpoint] keep: 1 is too small; at least 2"),
    ("[task]\nkind = 'sudoku'\nclues = -1", "[task] clues: -1 is too small; at least 0"),
    # Values of the wrong type.
    ("[train]\nsteps = 2.5", "[train] steps: must be a whole number from 1 to 1000000000, not 2.5"),
    ("[train]\nsteps = 'many'", 'steps: must be a whole number from 1 to 1000000000, not "many"'),
    ("[train]\nbatch_size = true", "[train] batch_size: must be a whole number from 1 to 65536, not true"),
    ("[train]\nlr = '1e-3'", '[train] lr: must be a number above 0, at most 10, not "1e-3"'),
    ("[train]\nlr = nan", "[train] lr: must be a number above 0, at most 10, not nan"),
    ("[train]\nlr = inf", "[train] lr: must be a number above 0, at most 10, not inf"),
    ("[train]\nlr = [1e-3]", "[train] lr: must be a number above 0, at most 10, not a list"),
    ("[train.lr]\npeak = 1e-3", "[train] lr: must be a number above 0, at most 10, not a table"),
    ("[train]\nlr = 2024-01-01", "[train] lr: must be a number above 0, at most 10, not a date or time"),
    ("[train]\ncontinue_loss = 1", "[train] continue_loss: must be true or false, not 1"),
    ("[task]\nkind = 'sudoku'\ndata = 3", "[task] data: must be text of at most 4096 characters, not 3"),
    # Choices.
    (
        "[model]\nmixer = 'atention'",
        'must be "attention" or "mlp_t", not "atention". Did you mean "attention"?',
    ),
    ("[model]\npositions = 'xyz'", '[model] positions: must be "rope", "learned" or "none", not "xyz"'),
    ("[model]\nstates = 3", "[model] states: must be 1 or 2, not 3"),
    ("[train]\nloss = 'sofmax'", 'not "sofmax". Did you mean "softmax"?'),
    ("[train]\noptimizer = 7", '[train] optimizer: must be "adamw", "adam_atan2", "muon", "lion" or "sgd",'),
    # Unknown keys and sections.
    ("[model]\nhidden_siez = 64", '[model] hidden_siez: unknown key. Did you mean "hidden_size"?'),
    ("[task]\nkind = 'sudoku'\nbox_row = 2", '[task] box_row: unknown key. Did you mean "box_rows"?'),
    ("[model]\nlr = 1e-3", "[model] lr: unknown key here; it belongs in [train]"),
    ("[model]\nbatch_size = 4", "[model] batch_size: unknown key here; it belongs in [train] and [eval]"),
    ("[eval]\nmicrobatch = 4", '[eval] microbatch: unknown key. Did you mean "micro_batch" in [train]?'),
    ("[memory]\nqqqqqq = 4", "[memory] qqqqqq: unknown key. Known: budget_gb, guard,"),
    ('[memory]\n"a\\u001b[2J" = 4', '[memory] "a\\u001b[2J": unknown key.'),
    ("[memory]\ntitle = 'x'", "[memory] title: unknown key here; it belongs in the top of the file"),
    ("[trian]\nsteps = 4", '[trian]: unknown section. Did you mean "[train]"?'),
    ("[qqqq]\nsteps = 4", "[qqqq]: unknown section. Known: [task], [model], [train]"),
    ("[[models]]\nheads = 4", '[models]: unknown section. Did you mean "[model]"?'),
]

BAD_TOP = [
    ("lr = 1e-3\n" + TASK, "lr: unknown key here; it belongs in [train]"),
    ("zzzz = []\n" + TASK, "zzzz: unknown key. Known: title, expect, [task], [model]"),
    ("train = 5\n" + TASK, "[train]: must be a table ([train] and its keys below it), not 5"),
    (TASK + "[[train]]\nlr = 1e-3\n", "[train]: must be a table ([train] and its keys below it), not a list"),
    ("title = 5\n" + TASK, "title: must be text of at most 200 characters, not 5"),
    (f"title = '{'x' * 201}'\n{TASK}", "title: has 201 characters; at most 200"),
    ("", "[task]: is missing; add a [task] table whose kind is "),
    ("task = 3", "[task]: must be a table"),
    ("[[task]]", "[task]: must be a table"),
    ("[task]\nbox_rows = 2", "[task] kind: is missing; give "),
    ("[task]\nkind = 'sudok'", 'not "sudok". Did you mean "sudoku"?'),
    ("[task]\nkind = 3", "[task] kind: must be "),
]


@pytest.mark.parametrize(("section", "message"), BAD, ids=[text.replace("\n", " ")[:50] for text, _ in BAD])
def test_a_bad_key_is_named_with_what_is_allowed(section: str, message: str) -> None:
    text = section if section.startswith("[task]") else TASK + section
    (problem,) = problems(text)
    assert message in problem
    assert "\n" not in problem
    assert "\x1b" not in problem


@pytest.mark.parametrize(
    ("text", "message"), BAD_TOP, ids=[text[:30].replace("\n", " ") for text, _ in BAD_TOP]
)
def test_a_bad_section_or_title_is_named(text: str, message: str) -> None:
    (problem,) = problems(text)
    assert message in problem


def test_all_problems_are_told_at_once() -> None:
    text = (
        TASK
        + "clues = -1\n[model]\nheads = 0\nlayerz = 2\n[train]\nlr = 'x'\n"
        + "[evil]\nevery = 1\n[eval]\nevery = -1\n"
    )
    named = [problem.partition(":")[0] for problem in problems(text)]
    assert sorted(named) == sorted(
        ["[task] clues", "[model] heads", "[model] layerz", "[train] lr", "[evil]", "[eval] every"]
    )


def test_rules_over_sound_settings_are_checked_beside_bad_ones() -> None:
    found = problems(TASK + "[train]\nlr = -1\nbatch_size = 8\nmicro_batch = 16\n")
    assert [problem.partition(":")[0] for problem in found] == ["[train] lr", "[train] micro_batch"]


def test_the_task_rules_are_checked_beside_bad_settings_of_other_sections() -> None:
    found = problems(TASK + "clues = 17\n[train]\nlr = -1\n")
    assert [problem.partition(":")[0] for problem in found] == ["[train] lr", "[task] clues"]


@pytest.mark.parametrize(
    "text",
    [
        TASK + "[train]\nbatch_size = 'x'\nmicro_batch = 100\n",
        TASK + "[train]\nbatch_sise = 128\nmicro_batch = 100\n",
        TASK + "[eval]\ntarget_accuracy = 0.9\nevery = -1\n",
        "[task]\nkind = 'sudoku'\nbox_rows = 'x'\nclues = 30\n",
        "[task]\nkind = 'sudoku'\nbox_rowz = 3\nbox_cols = 3\nclues = 40\n",
        "[task]\nkind = 'sudoko'\nclues = 40\n",
        TASK + "[model]\nmixer = 'attention'\n[modle]\npositions = 'rope'\n",
    ],
)
def test_rules_stay_silent_about_what_depends_on_a_bad_setting(text: str) -> None:
    assert len(problems(text)) == 1


def test_a_flood_of_problems_is_cut_off_with_a_count() -> None:
    keys = "\n".join(f"q{index} = 1" for index in range(MOST_EXPLAINED + 7))
    found = problems(f"{TASK}[model]\n{keys}\n")
    assert len(found) == MOST_EXPLAINED + 1
    assert found[-1] == "and 7 more problems"


@pytest.mark.parametrize("value", ["\x1b[31mred", "a\nb", "\u202eabc", "\udcff", "x" * 1000])
def test_shown_text_is_short_and_harmless(value: str) -> None:
    shown = show(value)
    assert len(shown) < 100
    assert shown.isprintable()
    assert shown.encode()
