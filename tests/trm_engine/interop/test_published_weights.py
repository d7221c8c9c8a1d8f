"""Published weights become a session that does all a session does, and come out again as they were."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from trm_engine.config import Config, dumps
from trm_engine.errors import ResourceError, SessionError, UsageError
from trm_engine.inference.load import averaged_weights, load
from trm_engine.interop.checkpoints import export_published, import_published
from trm_engine.interop.weight_names import from_published, to_published
from trm_engine.interop.weights_file import read_weights
from trm_engine.learning.puzzle_learner import PuzzleLearner
from trm_engine.sessions import Checkpoint, Session, Store
from trm_engine.tasks import build_task
from trm_engine.training.replay import replay
from trm_engine.training.run import Sitting
from trm_engine.training.runs import resume

MakeConfig = Callable[..., Config]
PUBLISHED = ("model.registers=0", "model.width_multiple=256")
EMBEDDED = ("model.puzzle_emb_ndim=8", "model.puzzle_emb_len=2")
VARIANTS = {
    "mlp": (),
    "mlp with embedding": EMBEDDED,
    "attention": ("model.mixer=attention", "model.heads=2", "model.positions=rope", *EMBEDDED),
    "learned positions": ("model.mixer=attention", "model.heads=2", "model.positions=learned", *EMBEDDED),
    "single state": ("model.states=1", *EMBEDDED),
}


@pytest.fixture
def published(make_config: MakeConfig) -> Config:
    return make_config(*PUBLISHED, *EMBEDDED)


def noise(tensors: dict[str, Tensor], seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(tensor.shape, generator=generator) for name, tensor in tensors.items()}


def saved(store: Store, config: Config) -> str:
    """Return a session whose checkpoint of step 7 has random weights, and others as their average."""
    learner = PuzzleLearner(config, build_task(config.task))
    with store.create(dumps(config), "tiny", task="sudoku") as session:
        averaged = {
            f"ema.{name}": one for name, one in noise(dict(learner.model.named_parameters()), 2).items()
        }
        state = {"learner": learner.state()}
        session.save(
            Checkpoint(7, noise(learner.weights(), 1), {**learner.tensors(), **averaged}, state),
            best_score=0.5,
        )
    return session.id


def weights_file(config: Config, file: Path, ids: int = 1, **changes: Tensor | None) -> Path:
    """Write random weights of a configuration as published ones, with `changes` by our name."""
    learner = PuzzleLearner(config, build_task(config.task))
    ours: dict[str, Tensor | None] = {**noise(learner.weights(), 3)}
    ours["puzzle_emb"] = torch.arange(ids * 8.0).reshape(ids, 8)
    ours.update(changes)
    torch.save(to_published({name: one for name, one in ours.items() if one is not None}, config), file)
    return file


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(tensor, b[name]) for name, tensor in a.items())


# --- round trips ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("raw", [False, True], ids=["averaged", "raw"])
def test_import_of_export_is_the_same_bit_for_bit(
    store: Store, make_config: MakeConfig, tmp_path: Path, variant: str, raw: bool
) -> None:
    config = make_config(*PUBLISHED, *VARIANTS[variant])
    original = saved(store, config)
    export_published(store, original, tmp_path / "x.pt", raw=raw)
    found, _ = store.get(original).load()
    expected = found.weights if raw else averaged_weights(found)
    imported = import_published(store, config, tmp_path / "x.pt", preset="tiny")
    now, _ = store.get(imported.session).load()
    unused = {"y_init"} if config.model.states == 1 else set()
    for name, tensor in expected.items():
        assert name in unused or torch.equal(now.weights[name], tensor), name


def test_export_of_import_is_the_same_file_of_weights(
    store: Store, published: Config, tmp_path: Path
) -> None:
    file = weights_file(published, tmp_path / "x.pt")
    session = import_published(store, published, file, preset="tiny").session
    for raw in (False, True):
        export_published(store, session, tmp_path / f"{raw}.pt", raw=raw)
        assert same(read_weights(tmp_path / f"{raw}.pt"), read_weights(file))


def test_an_export_has_the_published_names(store: Store, published: Config, tmp_path: Path) -> None:
    export_published(store, saved(store, published), tmp_path / "x.pt")
    names = set(read_weights(tmp_path / "x.pt"))
    assert {"model.inner.embed_tokens.embedding_weight", "model.inner.puzzle_emb.weights"} <= names
    assert all(name.startswith("model.inner.") for name in names)


# --- import -----------------------------------------------------------------------------------------------


def test_an_imported_session_says_where_it_came_from(store: Store, published: Config, tmp_path: Path) -> None:
    file = weights_file(published, tmp_path / "step_1.pt")
    done = import_published(store, published, file, preset="tiny", name="theirs")
    record = store.get("theirs").record
    assert (record.id, record.status, record.preset) == (done.session, "imported", "tiny")
    assert record.origin is not None
    assert record.origin.file == "step_1.pt"
    assert record.summary["weights_sha256"] == done.weights_sha256
    assert "imported from step_1.pt" in store.get("theirs").events()[0].message


def test_an_imported_checkpoint_begins_afresh(store: Store, published: Config, tmp_path: Path) -> None:
    file = weights_file(published, tmp_path / "x.pt")
    found, _ = store.get(import_published(store, published, file, preset="tiny").session).load()
    assert found.step == 0
    for name, tensor in found.tensors.items():
        kind, _, weight = name.partition(".")
        if kind == "ema":
            assert torch.equal(tensor, found.weights[weight])
        if kind.startswith("adam"):
            assert not tensor.any()
    assert found.tensors["carry.halted"].all()


@pytest.mark.parametrize("prefix", ["_orig_mod.model.inner.", "model.inner.", ""])
def test_every_prefix_means_the_same(store: Store, published: Config, tmp_path: Path, prefix: str) -> None:
    plain = weights_file(published, tmp_path / "x.pt")
    renamed = {prefix + name.removeprefix("model.inner."): one for name, one in read_weights(plain).items()}
    torch.save(renamed, tmp_path / "y.pt")
    digests = {
        import_published(store, published, file, preset="tiny").weights_sha256
        for file in (plain, tmp_path / "y.pt")
    }
    assert len(digests) == 1


def test_puzzle_embeddings_of_other_puzzles_become_their_mean(
    store: Store, published: Config, tmp_path: Path
) -> None:
    file = weights_file(published, tmp_path / "x.pt", ids=3)
    done = import_published(store, published, file, preset="tiny")
    assert "puzzle_emb.weights has 3 rows for the 1 puzzle identifiers of this task" in done.warnings[0]
    found, _ = store.get(done.session).load()
    assert found.weights["puzzle_emb"].tolist() == [[8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0]]
    assert any("mean of all rows" in event.message for event in store.get(done.session).events())


def test_half_precision_becomes_single(store: Store, published: Config, tmp_path: Path) -> None:
    state = torch.full((8,), 1.5, dtype=torch.bfloat16)
    file = weights_file(published, tmp_path / "x.pt", z_init=state)
    found, _ = store.get(import_published(store, published, file, preset="tiny").session).load()
    assert found.weights["z_init"].dtype == torch.float32
    assert found.weights["z_init"].tolist() == [1.5] * 8


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lm_head": torch.zeros(6, 9)}, "model.inner.lm_head.weight has shape (6, 9), expected (6, 8)"),
        (
            {"puzzle_emb": torch.zeros(1, 5)},
            "model.inner.puzzle_emb.weights has shape (1, 5), expected (1, 8)",
        ),
        ({"puzzle_emb": torch.zeros(4, 5)}, "has shape (4, 5), expected (1, 8)"),
        ({"puzzle_emb": torch.zeros(8)}, "model.inner.puzzle_emb.weights has shape (8,), expected (1, 8)"),
        ({"q_bias": None}, "lacks 1 weight (q_head.bias). Choose the preset"),
        ({"q_head": None, "q_bias": None}, "lacks 2 weights (q_head.bias, q_head.weight)"),
        ({"z_init": torch.full((8,), float("nan"))}, "model.inner.L_init holds numbers that are not finite"),
        (
            {"blocks.2.mlp.down": torch.zeros(8, 256)},
            "has 1 weight (L_level.layers.2.mlp.down_proj.weight), which",
        ),
    ],
)
def test_weights_of_another_model_are_refused(
    store: Store, published: Config, tmp_path: Path, changes: dict[str, Tensor | None], words: str
) -> None:
    file = weights_file(published, tmp_path / "x.pt", **changes)
    with pytest.raises(UsageError) as caught:
        import_published(store, published, file, preset="tiny")
    assert str(caught.value).startswith(f"{file}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert store.list() == []


def test_names_that_are_none_of_ours_are_listed_shortly(
    store: Store, published: Config, tmp_path: Path
) -> None:
    torch.save({f"layer{number}\x1b": torch.zeros(1) for number in range(30)}, tmp_path / "x.pt")
    with pytest.raises(UsageError) as caught:
        import_published(store, published, tmp_path / "x.pt", preset="tiny")
    assert "has 30 weights (layer0, layer1, layer2 and 27 more), which this configuration lacks" in str(
        caught.value
    )
    assert len(str(caught.value)) < 500


def test_a_weight_given_twice_is_refused(store: Store, published: Config, tmp_path: Path) -> None:
    weights = read_weights(weights_file(published, tmp_path / "x.pt"))
    torch.save({**weights, "_orig_mod.model.inner.L_init": torch.zeros(8)}, tmp_path / "y.pt")
    with pytest.raises(UsageError, match="holds a weight twice"):
        import_published(store, published, tmp_path / "y.pt", preset="tiny")


def test_an_import_that_cannot_be_saved_leaves_no_session(
    store: Store, published: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise ResourceError("not enough disk space")

    file = weights_file(published, tmp_path / "x.pt")
    monkeypatch.setattr(Session, "save", full)
    with pytest.raises(ResourceError):
        import_published(store, published, file, preset="tiny")
    assert store.list() == []


# --- what the session is good for -------------------------------------------------------------------------


def test_weights_are_imported_and_loaded_without_the_data(
    store: Store, make_config: MakeConfig, tmp_path: Path
) -> None:
    config = make_config(*PUBLISHED, *EMBEDDED, "task.data=nowhere")
    file = weights_file(make_config(*PUBLISHED, *EMBEDDED), tmp_path / "x.pt")
    session = import_published(store, config, file, preset="tiny").session
    loaded = load(store, session).network.state_dict()
    given = from_published(read_weights(file))
    assert same({name: tensor for name, tensor in loaded.items() if name in given}, given)


def test_an_imported_session_is_trained_further(
    store: Store, published: Config, tmp_path: Path, make_sitting: Callable[..., Sitting]
) -> None:
    file = weights_file(published, tmp_path / "x.pt")
    session = import_published(store, published, file, preset="tiny").session
    assert resume(store, session, make_sitting(steps=2)).status == "stopped"
    record = store.get(session).record
    assert set(record.data) == {"train", "test"}
    assert record.origin is not None
    done = resume(store, session, make_sitting())
    assert (done.status, done.steps) == ("completed", 12)


def test_fine_tuning_in_two_sittings_ends_as_in_one(
    store: Store, published: Config, tmp_path: Path, make_sitting: Callable[..., Sitting]
) -> None:
    file = weights_file(published, tmp_path / "x.pt")
    one, two = (import_published(store, published, file, preset="tiny").session for _ in range(2))
    whole = resume(store, one, make_sitting())
    resume(store, two, make_sitting(steps=5))
    assert resume(store, two, make_sitting()).weights_sha256 == whole.weights_sha256


def test_an_imported_session_cannot_be_replayed(
    store: Store, published: Config, tmp_path: Path, make_sitting: Callable[..., Sitting]
) -> None:
    file = weights_file(published, tmp_path / "x.pt")
    session = import_published(store, published, file, preset="tiny").session
    resume(store, session, make_sitting(steps=2))
    with pytest.raises(SessionError, match=r"began from imported weights"):
        replay(store, session, make_sitting())


# --- export -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("model.registers=1", "model.registers = 1: published models have none"),
        (
            "model.attention_window=7 model.mixer=attention model.positions=rope model.puzzle_emb_ndim=32",
            "model.attention_window = 7: published models attend to all positions",
        ),
        ("model.width_multiple=32", "model.width_multiple = 32: makes the SwiGLU over hidden_size 32 wide"),
    ],
)
def test_a_setting_that_published_weights_cannot_have_is_named(
    store: Store, make_config: MakeConfig, tmp_path: Path, setting: str, words: str
) -> None:
    config = make_config(*PUBLISHED, *setting.split())
    with pytest.raises(UsageError) as caught:
        export_published(store, saved(store, config), tmp_path / "x.pt")
    assert words in str(caught.value)
    with pytest.raises(UsageError) as caught:
        import_published(store, config, tmp_path / "none.pt", preset="tiny")
    assert words in str(caught.value)
    assert not (tmp_path / "x.pt").exists()


def test_a_width_that_happens_to_be_the_published_one_is_exported(
    store: Store, make_config: MakeConfig, tmp_path: Path
) -> None:
    config = make_config(
        "model.registers=0", "model.width_multiple=128", "model.expansion=16.0", "model.hidden_size=24"
    )
    assert config.model.swiglu_width(24) == config.model.swiglu_width(16) == 256
    export_published(store, saved(store, config), tmp_path / "x.pt")


def test_the_best_and_a_step_are_exported_by_name(store: Store, published: Config, tmp_path: Path) -> None:
    session = saved(store, published)
    for checkpoint in ("best", "7", None):
        done = export_published(store, session, tmp_path / f"{checkpoint}.pt", checkpoint=checkpoint)
        assert (done.session, done.step) == (session, 7)
    with pytest.raises(SessionError, match="no checkpoint of step 8"):
        export_published(store, session, tmp_path / "x.pt", checkpoint="8")
