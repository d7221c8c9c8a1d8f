"""Settings that are each allowed but cannot work together.

Only what cannot work, or is surely a mistake, is refused: a warm-up longer than the run is odd but allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from functools import partial

from trm_engine.config.kinds import KINDS, LearnerKind, Rule
from trm_engine.config.problems import Problem
from trm_engine.config.sections import Config, TaskConfig

_RULES: list[Rule] = []
_NEVER_EARLY = "every = 0 evaluates only at the end, so nothing can stop early; set every, or this to 0"


def rules(config: Config, doubtful: AbstractSet[str] = frozenset()) -> list[Problem]:
    """Return every combination in `config` that cannot work.

    `doubtful` names settings (`train.lr`) and whole sections (`train`) whose value is not known; what depends
    on them is not judged.
    """
    found = []
    for rule in (_MODEL_IS_FOR_TASK, *_rules_of_kinds(config), *_RULES):
        if not _doubted(rule.keys, doubtful):
            message = rule.check(config)
            if message is not None:
                section, _, field = rule.keys[0].partition(".")
                found.append(Problem(section, field, message))
    if not _doubted((f"task.{name}" for name in type(config.task).model_fields), doubtful):
        found += [Problem("task", field, message) for field, message in config.task.problems()]
    return found


def _doubted(keys: Iterable[str], doubtful: AbstractSet[str]) -> bool:
    return any(key in doubtful or key.partition(".")[0] in doubtful for key in keys)


def _rule(*keys: str) -> Callable[[Callable[[Config], str | None]], Callable[[Config], str | None]]:
    def register(check: Callable[[Config], str | None]) -> Callable[[Config], str | None]:
        _RULES.append(Rule(keys, check))
        return check

    return register


def _rules_of_kinds(config: Config) -> Iterator[Rule]:
    """Yield the rules of the kind of learner, and those for targets: each kind has a target of its own."""
    own = KINDS.get(config.model.architecture)
    for rule in own.rules if own else ():
        yield Rule((*rule.keys, "model.architecture"), rule.check)
    for target in dict.fromkeys(kind.score.target for kind in KINDS.values()):
        if own is not None and target != own.score.target:
            yield Rule((f"eval.{target}", "model.architecture"), partial(_foreign_target, target, own))
        yield Rule((f"eval.{target}", "eval.every"), partial(_never_early, target))


def _foreign_target(target: str, own: LearnerKind, config: Config) -> str | None:
    if not getattr(config.eval, target):
        return None
    return f"{own.models} is measured by its {own.score.words}; set {own.score.target} instead, and this to 0"


def _never_early(target: str, config: Config) -> str | None:
    if not getattr(config.eval, target) or config.eval.every:
        return None
    return _NEVER_EARLY


def _model_is_for_task(config: Config) -> str | None:
    kind, needed = config.task.kind, config.task.architecture
    if config.model.architecture == needed:
        return None
    return f'a "{kind}" task is learned by {KINDS[needed].models}; set this to "{needed}"'


_MODEL_IS_FOR_TASK = Rule(("model.architecture", "task.kind"), _model_is_for_task)


@_rule("model.hidden_size", "model.heads", "model.mixer")
def _heads_divide_the_width(config: Config) -> str | None:
    model = config.model
    if model.mixer != "attention" or model.hidden_size % model.heads == 0:
        return None
    below = model.hidden_size - model.hidden_size % model.heads
    nearest = " or ".join(str(size) for size in (below, below + model.heads) if size)
    return f"{model.hidden_size} is not a multiple of heads = {model.heads}; {nearest} is"


@_rule("model.hidden_size", "model.heads", "model.mixer", "model.positions")
def _rope_turns_pairs(config: Config) -> str | None:
    model = config.model
    if model.mixer != "attention" or model.positions != "rope" or model.hidden_size % model.heads:
        return None
    head = model.hidden_size // model.heads
    if head % 2 == 0:
        return None
    return f"hidden_size / heads is {head}, and rope needs an even number: it rotates pairs"


@_rule("model.positions", "model.mixer")
def _attention_needs_positions(config: Config) -> str | None:
    if config.model.mixer != "attention" or config.model.positions != "none":
        return None
    return 'attention cannot tell cells apart without positions; use "rope" or "learned"'


@_rule("model.attention_window", "model.mixer", "model.registers", "model.puzzle_emb_ndim", "task.kind")
def _windows_are_of_grids(config: Config) -> str | None:
    model, window = config.model, config.model.attention_window
    if not window:
        return None
    if window % 2 == 0 or window < 3:
        return f"{window} has no cell in its middle, or it alone; use an odd number from 3, or 0 for none"
    if model.mixer != "attention":
        return f'is for mixer = "attention", and mixer is "{model.mixer}"; set that, or this to 0'
    kind = config.task.kind
    if TaskConfig.kinds[kind].grid is TaskConfig.grid:
        return f'a "{kind}" task has no grid of cells; set this to 0'
    if not model.registers and not model.puzzle_emb_ndim:
        return "the halting head reads position 0, which must see every cell; set registers = 1"
    return None


@_rule("model.expansion", "model.hidden_size")
def _swiglu_has_a_width(config: Config) -> str | None:
    model = config.model
    if round(model.expansion * model.hidden_size * 2 / 3) >= 1:
        return None
    return f"{model.expansion} · hidden_size {model.hidden_size} · 2/3 rounds to a width of 0; raise it"


@_rule("model.puzzle_emb_len", "model.puzzle_emb_ndim")
def _prefix_has_an_embedding(config: Config) -> str | None:
    model = config.model
    if not model.puzzle_emb_len or model.puzzle_emb_ndim:
        return None
    return f"{model.puzzle_emb_len} positions with nothing to fill them; set puzzle_emb_ndim, or this to 0"


@_rule("model.puzzle_emb_len", "model.puzzle_emb_ndim", "model.hidden_size")
def _embedding_fits_its_prefix(config: Config) -> str | None:
    model = config.model
    room = model.puzzle_emb_len * model.hidden_size
    if not model.puzzle_emb_len or room >= model.puzzle_emb_ndim:
        return None
    needed = -(-model.puzzle_emb_ndim // model.hidden_size)
    return (
        f"{model.puzzle_emb_len} positions of hidden_size {model.hidden_size} hold {room} of the "
        f"puzzle_emb_ndim = {model.puzzle_emb_ndim} numbers; at least {needed}"
    )


@_rule("train.micro_batch", "train.batch_size")
def _micro_batch_is_a_part(config: Config) -> str | None:
    train = config.train
    if train.micro_batch <= train.batch_size:
        return None
    return (
        f"{train.micro_batch} is more than batch_size = {train.batch_size}; at most that, or 0 for all of it"
    )


@_rule("train.weight_decay", "train.lr")
def _decay_keeps_signs(config: Config) -> str | None:
    return _decay(config.train.lr, config.train.weight_decay, "lr")


@_rule("train.puzzle_emb_weight_decay", "train.puzzle_emb_lr", "model.puzzle_emb_ndim")
def _embedding_decay_keeps_signs(config: Config) -> str | None:
    if not config.model.puzzle_emb_ndim:
        return None
    return _decay(config.train.puzzle_emb_lr, config.train.puzzle_emb_weight_decay, "puzzle_emb_lr")


def _decay(lr: float, weight_decay: float, name: str) -> str | None:
    if lr * weight_decay <= 1:
        return None
    product = f"{weight_decay} · {name} = {lr}"
    return f"{product} is above 1, so weight decay would flip the sign of the weights; lower one"


@_rule("train.decay_steps", "train.schedule")
def _decay_is_of_wsd(config: Config) -> str | None:
    if not config.train.decay_steps or config.train.schedule == "wsd":
        return None
    return f'is for schedule = "wsd", and schedule is "{config.train.schedule}"; set that, or this to 0'


@_rule("train.continue_loss", "train.halt_max_steps")
def _continuing_needs_a_next_step(config: Config) -> str | None:
    if not config.train.continue_loss or config.train.halt_max_steps > 1:
        return None
    return "halt_max_steps = 1 leaves no step to continue to; set this to false or allow more steps"


@_rule("train.halt_start_steps", "train.halt_max_steps")
def _supervision_steps_grow(config: Config) -> str | None:
    start, end = config.train.halt_start_steps, config.train.halt_max_steps
    if start <= end:
        return None
    return f"{start} is above halt_max_steps = {end}, to which it should grow; lower it or raise that"


@_rule("runtime.device")
def _device_has_a_known_kind(config: Config) -> str | None:
    if re.fullmatch(r"auto|cpu|mps|(cuda|xpu)(:[0-9]{1,3})?", config.runtime.device):
        return None
    return f'"{config.runtime.device}" is none of auto, cpu, cuda, mps and xpu, nor one by number as cuda:1'


@_rule("eval.depths")
def _depths_are_steps(config: Config) -> str | None:
    return _listed(config.eval.depths, "whole numbers from 1 to 4096", lambda word: 1 <= int(word) <= 4096)


@_rule("eval.halt_thresholds")
def _thresholds_are_numbers(config: Config) -> str | None:
    return _listed(
        config.eval.halt_thresholds, "numbers from -100 to 100", lambda word: abs(float(word)) <= 100
    )


def _listed(text: str, allowed: str, is_one: Callable[[str], bool]) -> str | None:
    for word in text.split():
        try:
            if is_one(word):
                continue
        except ValueError:
            pass
        return f'"{word}" is none of the {allowed} that this lists, with spaces between'
    return None


@_rule("track.project")
def _project_can_be_named(config: Config) -> str | None:
    wrong = sorted(set(config.track.project) & set("/\\#?%:"))
    return f'has "{wrong[0]}", and names of projects have none of / \\ # ? % :' if wrong else None


@_rule("memory.shrink_at", "memory.warn_at")
def _warnings_come_first(config: Config) -> str | None:
    return _not_below(config.memory.shrink_at, config.memory.warn_at, "warn_at")


@_rule("memory.stop_at", "memory.shrink_at")
def _stopping_comes_last(config: Config) -> str | None:
    return _not_below(config.memory.stop_at, config.memory.shrink_at, "shrink_at")


def _not_below(share: float, least: float, name: str) -> str | None:
    return None if share >= least else f"{share:g} is below {name} = {least:g}; at least that"
