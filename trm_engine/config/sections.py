"""The configuration that every run has, one frozen class a section.

The docstring under a field is its help text wherever the field is shown: the TOML comment, the editor's
form and the error message. Sections refuse unknown keys; values are checked for type and range here, and for
making sense together in `trm_engine.config.rules`.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, ValidationError, field_validator
from pydantic_core import InitErrorDetails

from trm_engine.config.registry import Registry


class Section(BaseModel):
    """A frozen group of settings whose fields carry their help text as docstrings.

    What validates them is built when it is first needed, and no source is read for help texts: the app draws
    its first frame before either (`describe` reads the texts).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True, allow_inf_nan=False)


DATA_FIELDS = ("data", "test_data")
"""The fields of a task's configuration that may name data."""


class TaskConfig(Section):
    """What is learned, and from which data. Each task declares its own fields in a subclass."""

    kinds: ClassVar[Registry[type[TaskConfig]]] = Registry("trm_engine.tasks")
    """Every kind of task by name."""
    task_class: ClassVar[str] = ""
    """Where the task itself is, as "module:Class": it is loaded only to be used."""
    architecture: ClassVar[str] = "puzzle"
    """Which kind of learner it needs; `model.architecture` must say the same."""
    size_fields: ClassVar[tuple[str, ...]] = ()
    """The settings that say how large a puzzle is: a model knows puzzles of one size."""
    one_size: ClassVar[bool] = True
    """Whether all puzzles are grids of one size: only those are served."""
    unmistakable: ClassVar[bool] = False
    """Whether nothing else reads as a puzzle of this kind, so that what does is meant as one."""

    kind: str
    """Which task the model learns."""

    def __init_subclass__(cls, kind: str, task: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        TaskConfig.kinds[kind] = cls
        cls.task_class = task

    @property
    def seq_len(self) -> int:
        """Positions of one example, without the puzzle prefix and registers."""
        raise TypeError(f"{type(self).__name__} declares no sequence length")

    @property
    def vocab_size(self) -> int:
        """Number of tokens, padding included."""
        raise TypeError(f"{type(self).__name__} declares no vocabulary")

    @property
    def grid(self) -> tuple[int, int] | None:
        """Rows and columns of a sequence that is a grid, row by row; None for any other."""
        return None

    @property
    def num_puzzle_ids(self) -> int:
        """Puzzle identifiers at most, as far as the settings tell: rows of the puzzle embedding."""
        return 1

    @property
    def called(self) -> str:
        """What such puzzles are called, with their size, as in "9×9 Sudoku"."""
        return self.kind.replace("_", " ")

    @staticmethod
    def looks_like(text: str) -> bool:  # noqa: ARG004  # subclasses look at it
        """Whether a text that does not read as a puzzle of this kind is meant for one."""
        return False

    @classmethod
    def readings(cls, text: str) -> list[tuple[TaskConfig, int]]:  # noqa: ARG003  # subclasses read it
        """Return configurations under which a text may be a puzzle of this kind, none by default.

        Beside each, how many cells the text is away from its size: where none reads it, the nearest one knows
        best what is wrong.
        """
        return []

    def problems(self) -> list[tuple[str, str]]:
        """Return the combinations of settings that cannot work, as pairs of field name and message."""
        return []


class ModelConfig(Section):
    """The recursive network."""

    architecture: str = "puzzle"
    """What is refined: answer and latent under deep supervision (puzzle), or one causal state (text)."""
    hidden_size: int = Field(64, ge=4, le=8192)
    """Width D of the state at every position."""
    layers: int = Field(2, ge=1, le=32)
    """Blocks in the one network that is applied again and again."""
    mixer: Literal["attention", "mlp_t"] = "mlp_t"
    """How positions exchange information: attention, or an MLP along the length (best on small grids)."""
    heads: int = Field(4, ge=1, le=256)
    """Attention heads; hidden_size must be a multiple. Unused by mlp_t."""
    attention_window: int = Field(0, ge=0, le=99)
    """Side of the window of cells that a cell sees (odd), beside the prefix; 0: it sees all."""
    positions: Literal["rope", "learned", "none"] = "none"
    """Position encoding: rotary, a learned embedding, or none (mlp_t knows positions by itself)."""
    rope_theta: float = Field(10000.0, gt=1)
    """Base of the rotary frequencies."""
    h_cycles: int = Field(2, ge=1, le=64)
    """Cycles T of one forward pass: all but the last run without gradient."""
    l_cycles: int = Field(2, ge=1, le=64)
    """Updates n of the latent state z within a cycle, before the answer y is updated once."""
    recursion_steps: int = Field(2, ge=1, le=64)
    """Of a text model: times that the blocks refine its state, all with gradient (instead of cycles)."""
    tied_head: bool = True
    """Of a text model: use the token embedding for the output too, instead of weights of its own."""
    expansion: float = Field(4.0, gt=0, le=64)
    """SwiGLU width = expansion · D · 2/3, rounded up to width_multiple."""
    width_multiple: int = Field(32, ge=1, le=4096)
    """SwiGLU widths are multiples of this; the published code uses 256."""
    states: Literal[1, 2] = 2
    """2: the answer y and the latent z. 1: a single state."""
    registers: int = Field(1, ge=0, le=64)
    """Learned positions in front of the sequence; the halting head reads position 0."""
    puzzle_emb_ndim: int = Field(0, ge=0, le=65536)
    """Numbers in each puzzle's own embedding; 0 for none (only ARC needs one)."""
    puzzle_emb_len: int = Field(0, ge=0, le=256)
    """Positions the puzzle embedding fills; 0 with an embedding: as many as it needs."""
    rms_norm_eps: float = Field(1e-5, gt=0, lt=1)
    """Added to the mean square in every RMS norm."""

    def swiglu_width(self, size: int) -> int:
        """Return the inner width of a SwiGLU: expansion · size · 2/3, rounded, then up to a multiple."""
        return -(-round(self.expansion * size * 2 / 3) // self.width_multiple) * self.width_multiple


class TrainConfig(Section):
    """How the model is trained."""

    seed: int = Field(0, ge=0, le=2**63 - 1)
    """Random seed for weights, data order, augmentation and exploration."""
    steps: int = Field(3000, ge=1, le=10**9)
    """Supervision steps, one optimizer update each."""
    batch_size: int = Field(64, ge=1, le=65536)
    """Rows in each optimizer update."""
    micro_batch: int = Field(0, ge=0, le=65536)
    """Rows computed at once; gradients accumulate to the effective batch. 0: the whole batch."""
    optimizer: Literal["adamw", "adam_atan2", "muon", "lion", "sgd"] = "adamw"
    """AdamW, the published code's Adam-atan2, Muon for the blocks' matrices, Lion, or SGD with momentum."""
    lr: float = Field(2e-3, gt=0, le=10)
    """Peak learning rate."""
    schedule: Literal["cosine", "linear", "constant", "wsd"] = "cosine"
    """The rate after the warm-up: falls as a cosine, linearly, not at all, or only at the end (wsd)."""
    lr_min_ratio: float = Field(0.1, ge=0, le=1)
    """The schedule ends at lr times this; 1 keeps the rate constant after the warm-up."""
    decay_steps: int = Field(0, ge=0, le=10**9)
    """Steps at the end over which wsd falls, linearly; 0: a fifth of the run."""
    warmup_steps: int = Field(200, ge=0, le=10**7)
    """Steps over which the learning rate rises linearly from zero."""
    weight_decay: float = Field(0.1, ge=0, le=100)
    """Decoupled weight decay: each update first scales weights by 1 − lr · weight_decay."""
    beta1: float = Field(0.9, ge=0, lt=1)
    """Decay of the optimizer's gradient mean; the momentum of sgd."""
    beta2: float = Field(0.95, ge=0, lt=1)
    """Decay of the optimizer's mean squared gradient."""
    puzzle_emb_lr: float = Field(1e-2, gt=0, le=10)
    """Learning rate of the puzzle embeddings (sign-SGD on the rows of the batch)."""
    puzzle_emb_weight_decay: float = Field(0.1, ge=0, le=100)
    """Decoupled weight decay of the puzzle embeddings."""
    ema: float = Field(0.995, ge=0, lt=1)
    """Decay of the moving average of weights that evaluation uses; 0 evaluates the raw weights."""
    loss: Literal["softmax", "stablemax"] = "softmax"
    """Cross-entropy over tokens: the usual softmax, or the published stable-max in float64."""
    halt_max_steps: int = Field(8, ge=1, le=1024)
    """Supervision steps a puzzle stays in the batch at most."""
    halt_start_steps: int = Field(0, ge=0, le=1024)
    """Supervision-step limit at step 0; rises linearly to halt_max_steps. 0: halt_max_steps throughout."""
    halt_exploration_prob: float = Field(0.1, ge=0, le=1)
    """Fraction of rows that may not halt before a randomly drawn step (exploration)."""
    halt_exploration_start: float = Field(0.0, ge=0, le=1)
    """That fraction at step 0; changes linearly to halt_exploration_prob. 0: the same throughout."""
    recursion_start_h: int = Field(0, ge=0, le=64)
    """Cycles at step 0; they grow evenly to h_cycles, evaluation takes all. 0: h_cycles throughout."""
    recursion_start_l: int = Field(0, ge=0, le=64)
    """Updates of z in a cycle at step 0; they grow evenly to l_cycles. 0: l_cycles throughout."""
    recursion_share: float = Field(0.2, gt=0, le=1)
    """Share of the run over which the recursion grows."""
    recursion_penalty: float = Field(0.0, ge=0, le=1000)
    """Weight in the loss of how far updates of the last cycle move z and y (mean square); 0: none."""
    continue_loss: bool = False
    """Train the continue output of the halting head too (costs a second forward pass a step)."""
    log_every: int = Field(10, ge=1, le=10**6)
    """Steps between records in metrics.jsonl."""


class EvalConfig(Section):
    """How the model is measured on puzzles it has never seen."""

    every: int = Field(250, ge=0, le=10**9)
    """Steps between evaluations; 0 evaluates only at the end."""
    puzzles: int = Field(500, ge=1, le=10**7)
    """Held-out puzzles, or windows of a text, in each evaluation; the last uses the whole test set."""
    batch_size: int = Field(250, ge=1, le=65536)
    """Puzzles evaluated at once."""
    halt_max_steps: int = Field(0, ge=0, le=4096)
    """Supervision steps at evaluation; 0: halt_max_steps. More often helps and costs no training."""
    depths: str = Field("", max_length=200)
    """Further supervision steps at which the last evaluation measures, in one pass: "4 16 32"."""
    halt_thresholds: str = Field("", max_length=200)
    """Thresholds on the halting logit that the last evaluation compares: "-2 0 2"."""
    raw_weights: bool = False
    """Measure the raw weights too in the last evaluation, beside their moving average."""
    noise_scale: bool = False
    """Measure how noisy gradients are at each evaluation, from two halves of a batch."""
    target_accuracy: float = Field(0.0, ge=0, le=1)
    """Stop training once this exact accuracy is reached on held-out puzzles; 0 never stops early."""
    target_loss: float = Field(0.0, ge=0, le=100)
    """Stop training once the loss on held-out text is as low as this; 0 never stops early."""


class CheckpointConfig(Section):
    """What is saved, and when."""

    every_steps: int = Field(500, ge=0, le=10**9)
    """Steps between checkpoints; 0 for none by step."""
    every_seconds: float = Field(120.0, ge=0, le=10**7)
    """Seconds between checkpoints: what a power cut can cost at most; 0 for none by time."""
    keep: int = Field(2, ge=2, le=10**6)
    """Newest checkpoints that are kept, beside the best."""


class MemoryConfig(Section):
    """How much memory a run may have, and what is done when that gets short."""

    budget_gb: float = Field(0.0, ge=0, le=10**6)
    """Memory a run may plan with and hold, in GB; 0 takes what the machine has available."""
    guard: bool = True
    """Watch memory during the run: warn, halve the micro-batch, and at last save and stop (exit code 6)."""
    warn_at: float = Field(0.70, gt=0, le=1)
    """Memory fraction above which a warning is given."""
    shrink_at: float = Field(0.80, gt=0, le=1)
    """Memory fraction at which the micro-batch (at one row, once, the batch itself) is halved."""
    stop_at: float = Field(0.90, gt=0, le=1)
    """Memory fraction at which a run that cannot be made smaller is saved and stopped."""


class RuntimeConfig(Section):
    """How the machine is used."""

    device: str = Field("auto", max_length=20)
    """Where a run computes: cpu, cuda, cuda:1, mps, xpu; auto takes a GPU that works, else the CPU."""
    threads: int = Field(0, ge=0, le=1024)
    """Compute threads; 0 uses the physical cores available to this process."""
    precision: Literal["exact", "bf16", "fp16", "auto"] = "exact"
    """float32 (exact), GEMM in bfloat16 or float16, or the faster by a trial (auto; bfloat16 on a GPU)."""
    tuning: Literal["auto", "off"] = "auto"
    """auto: fused kernels, and measure every setting below left on "auto"; off: plain PyTorch."""
    parallelism: Literal["auto", "rows", "operations"] = "auto"
    """Threads split the rows of a batch (rows), or every operation (operations)."""
    attention: Literal["auto", "sdpa", "products"] = "auto"
    """Attention by PyTorch's kernel, or by batched matrix products; not of causal or windowed attention."""
    reduction: Literal["fast", "exact"] = "fast"
    """How gradients are added up; exact gives the same bits with 1, 2, 4 or 8 ranks and any threads."""
    gemm: Literal["auto", "default", "onednn"] = "auto"
    """Library of float32 matrix products: the one torch was built with, or oneDNN where that is as exact."""
    kernels: Literal["auto", "fused", "compiled"] = "auto"
    """Between GEMMs: torch with fewer passes over memory (fused), or C++ compiled on this machine."""
    checkpointing: bool = False
    """Gradient checkpointing: keep only the input of each latent update (same bits, 20–35 % more work)."""

    @property
    def fused(self) -> bool:
        """Whether fused operations compute: they are for float32, so not where products are reduced."""
        return self.tuning != "off" and self.precision not in ("bf16", "fp16")


class TrackConfig(Section):
    """Where the figures of a run are written as well while it trains; its session has them all."""

    tensorboard: bool = False
    """Write TensorBoard's event files into the session's folder (needs the extra "tensorboard")."""
    wandb: Literal["off", "offline", "online"] = "off"
    """Weights & Biases: files to be synced later (offline), or sent as the run trains (extra "wandb")."""
    project: str = Field("trm-tui", max_length=128)
    """The project of Weights & Biases that the run belongs to."""


class Config(Section):
    """Everything that decides a run. `title` and `expect` are a preset's own words about itself."""

    title: str = Field("", max_length=200)
    """Display name."""
    expect: str = Field("", max_length=2000)
    """What to expect: accuracy, time, and on which machine that was measured."""
    task: SerializeAsAny[TaskConfig]
    model: ModelConfig = Field(default_factory=ModelConfig)
    train: TrainConfig = Field(default_factory=TrainConfig)
    eval: EvalConfig = Field(default_factory=EvalConfig)
    checkpoint: CheckpointConfig = Field(default_factory=CheckpointConfig)
    memory: MemoryConfig = Field(default_factory=MemoryConfig)
    runtime: RuntimeConfig = Field(default_factory=RuntimeConfig)
    track: TrackConfig = Field(default_factory=TrackConfig)

    @field_validator("task", mode="wrap")
    @classmethod
    def _of_its_kind(cls, value: Any, _default: Any) -> TaskConfig:
        if isinstance(value, TaskConfig):
            return value
        if not isinstance(value, dict):
            raise _task_error(
                InitErrorDetails(type="model_type", input=value, ctx={"class_name": "TaskConfig"})
            )
        if "kind" not in value:
            raise _task_error(InitErrorDetails(type="missing", loc=("kind",), input=value))
        kind = value["kind"]
        if not isinstance(kind, str) or kind not in TaskConfig.kinds:
            expected = {"expected": ", ".join(sorted(TaskConfig.kinds))}
            raise _task_error(InitErrorDetails(type="literal_error", loc=("kind",), input=kind, ctx=expected))
        return TaskConfig.kinds[kind].model_validate(value)

    @property
    def eval_depths(self) -> tuple[int, ...]:
        """Further supervision steps at which the last evaluation looks, in rising order."""
        return tuple(sorted({int(word) for word in self.eval.depths.split()}))

    @property
    def eval_thresholds(self) -> tuple[float, ...]:
        """Halting logits that the last evaluation tries, in rising order."""
        return tuple(sorted({float(word) for word in self.eval.halt_thresholds.split()}))

    @property
    def micro_batch(self) -> int:
        """Rows in flight at once, resolved: `train.micro_batch`, or the whole batch."""
        return min(self.train.micro_batch or self.train.batch_size, self.train.batch_size)

    @property
    def eval_steps(self) -> int:
        """Supervision steps at evaluation, resolved."""
        return self.eval.halt_max_steps or self.train.halt_max_steps

    @property
    def puzzle_emb_len(self) -> int:
        """Positions that the puzzle embedding fills, resolved; 0 without one."""
        ndim, width = self.model.puzzle_emb_ndim, self.model.hidden_size
        return (self.model.puzzle_emb_len or -(-ndim // width)) if ndim else 0


def _task_error(details: InitErrorDetails) -> ValidationError:
    """Return an error that pydantic reports as one of its own, at its place in the task's section."""
    return ValidationError.from_exception_data("TaskConfig", [details])
