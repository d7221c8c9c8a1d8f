"""`--torture` adds the long forms of the reliability tests (`make torture`)."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Whether a property holds does not depend on how fast this machine is.
settings.register_profile(
    "any-machine", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any-machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--torture", action="store_true", help="run the long forms of the reliability tests too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--torture"):
        return
    long = [item for item in items if item.get_closest_marker("torture")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.fixture(scope="session", autouse=True)
def signals_as_usual() -> None:
    """A suite that nohup or a shell in the background has started ignores signals; programs inherit that."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what runs remember, and which models there are, out of the user's folders; programs inherit it."""
    with pytest.MonkeyPatch.context() as patch:
        if "TRM_DEVICE" not in os.environ:  # what a machine has beside its processor decides no test
            patch.setenv("TRM_DEVICE", "cpu")
        patch.setenv("TRM_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("TRM_PRESETS_DIR", str(tmp_path_factory.mktemp("presets")))
        patch.setenv("TRM_MODELS_FILE", str(tmp_path_factory.mktemp("models") / "models.toml"))
        yield
