"""Files of data sets on the Hugging Face Hub, kept in the cache that all its users share.

`huggingface_hub` knows the Hub's addresses, tokens, errors and cache. The transfer is the engine's own: the
library's begins from nothing after an interruption.
"""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from trm_engine.errors import TrmError, UsageError
from trm_engine.files import sha256_of
from trm_engine.progress import Progress, silent
from trm_engine.tasks.hub.pinned import PINNED, expected_sha256
from trm_engine.tasks.hub.transfer import transfer
from trm_engine.text import safe_text

if TYPE_CHECKING:
    from huggingface_hub import HfFileMetadata

INSTALL = 'pip install "trm-tui[hub]"'
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_ETAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")


@dataclass(frozen=True)
class HubDataset:
    """A data set of the Hub at a branch, tag or commit."""

    repo: str
    revision: str

    @classmethod
    def parse(cls, text: str) -> HubDataset:
        """Read OWNER/NAME[@REVISION]; raise `ValueError` when it is none."""
        repo, at, revision = text.partition("@")
        revision = revision if at else PINNED.get(repo, "main")
        if not _NAME.fullmatch(repo) or not _REVISION.fullmatch(revision) or ".." in text:
            raise ValueError("names no data set; write hub:OWNER/NAME or hub:OWNER/NAME@REVISION")
        return cls(repo, revision)

    def __str__(self) -> str:
        return f"hub:{self.repo}@{self.revision}"


@dataclass(frozen=True)
class HubFile:
    """A file of a data set in the cache: where it is, and the commit that it belongs to."""

    dataset: HubDataset
    name: str
    path: Path

    @property
    def commit(self) -> str:
        """The commit that the revision stood for when the file was fetched."""
        return self.path.parent.name

    def verify(self, sha256: str) -> None:
        """Raise `UsageError` when the sha256 of the file is not the Hub's, where the Hub names one."""
        blob = self.path.resolve()
        expected = expected_sha256(blob.name, self.commit, self.name)
        if expected not in (None, sha256):
            raise UsageError(
                f"{safe_text(str(self.path))} is damaged: its sha256 is not the Hub's; delete "
                f"{safe_text(str(blob))}, and it is fetched again"
            )

    def describe(self, sha256: str) -> str:
        """Say what the file is, for the record of a run."""
        size = self.path.stat().st_size
        return f"{self.name} of {self.dataset.repo} at commit {self.commit}, {size} bytes, sha256 {sha256}"


def cached_file(dataset: HubDataset, name: str, *, cache: Path | None = None) -> HubFile | None:
    """Return a file that is in the cache, without asking the network; None when it is not."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    found = try_to_load_from_cache(
        dataset.repo, name, cache_dir=cache, revision=dataset.revision, repo_type="dataset"
    )
    return HubFile(dataset, name, Path(found)) if isinstance(found, str) else None


def download(
    dataset: HubDataset,
    name: str,
    progress: Progress = silent,
    *,
    endpoint: str | None = None,
    cache: Path | None = None,
) -> HubFile:
    """Return a file of a data set, downloaded unless the cache has it.

    At a commit the cache is enough. A branch is looked up, and taken from the cache where there is no
    network. An interrupted download goes on where it stopped. `endpoint` and `cache` stand in for the Hub's
    address and folder (which the environment sets: HF_ENDPOINT, HF_HOME, HF_HUB_OFFLINE). Raises
    `UsageError` that says what is missing (the library, the network, the data set, the revision or the file),
    `ResourceError` where the disk is full, and what `progress` raises to call the download off.
    """
    try:
        import huggingface_hub  # noqa: F401
    except ImportError as error:
        raise UsageError(f"{dataset} needs the package huggingface_hub; install it: {INSTALL}") from error
    known = cached_file(dataset, name, cache=cache)
    if known is not None and known.commit == dataset.revision:
        return known
    watched = _Watched(progress)
    with _quiet():
        try:
            return HubFile(dataset, name, _fetch(dataset, name, endpoint, cache, watched))
        except TrmError:
            raise
        except Exception as error:
            if watched.called_off:
                raise
            told, reachable = _explain(dataset, name, error)
            if known is not None and not reachable:
                return known
            raise UsageError(told) from error


class _Watched:
    """A progress that knows whether it has called the work off, by raising something."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.called_off = False

    def __call__(self, what: str, done: int, total: int) -> None:
        """Report."""
        self.called_off = True
        self._progress(what, done, total)
        self.called_off = False


def _fetch(
    dataset: HubDataset, name: str, endpoint: str | None, cache: Path | None, progress: Progress
) -> Path:
    """Bring a file into the cache; raise what the library raises where that fails."""
    import huggingface_hub as hub
    from huggingface_hub import constants, errors

    if constants.HF_HUB_OFFLINE:
        raise errors.OfflineModeIsEnabled("HF_HUB_OFFLINE is set")
    endpoint = endpoint or os.environ.get("HF_ENDPOINT")  # a mirror, also one that is named after the import
    revision = dataset.revision
    url = hub.hf_hub_url(dataset.repo, name, repo_type="dataset", revision=revision, endpoint=endpoint)
    found = hub.get_hf_file_metadata(url, endpoint=endpoint)
    _fill_cache(dataset, name, url, found, Path(cache or constants.HF_HUB_CACHE), progress)
    # With the content in its place, this records the commit and the file's name, and reads nothing.
    path = hub.hf_hub_download(
        dataset.repo, name, repo_type="dataset", revision=revision, endpoint=endpoint, cache_dir=cache
    )
    return Path(path)


def _explain(dataset: HubDataset, name: str, error: Exception) -> tuple[str, bool]:
    """Return what went wrong, for a person, and whether the Hub was reached at all."""
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return (
            f"{dataset} asks for an account: accept its terms on the Hub, then log in with `hf auth login`",
            True,
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"{dataset}: the Hub has no data set {dataset.repo} (or it is private: `hf auth login`)", True
    if isinstance(error, errors.RevisionNotFoundError):
        return f"{dataset}: {dataset.repo} has no revision {dataset.revision}", True
    if isinstance(error, errors.LocalEntryNotFoundError):
        return f"{dataset}: {name} is not in the cache, and the Hub cannot be reached", False
    if isinstance(error, errors.EntryNotFoundError):
        return f"{dataset}: {dataset.repo} has no file {name}", True
    if isinstance(error, errors.OfflineModeIsEnabled):
        return f"{dataset}: {name} is not in the cache, and HF_HUB_OFFLINE forbids to fetch it", False
    if isinstance(error, OSError) and error.errno is not None:
        return f"{dataset}: {name} cannot be written to the cache: {error.strerror}", True
    reason = safe_text(str(error)).strip().splitlines() or [""]
    return (
        f"{dataset}: {name} is not in the cache, and the Hub cannot be reached "
        f"({type(error).__name__}{': ' if reason[0] else ''}{reason[0][:120]})",
        False,
    )


def _fill_cache(
    dataset: HubDataset, name: str, url: str, found: HfFileMetadata, cache: Path, progress: Progress
) -> None:
    """Put a file's content where the cache keeps it, named by its ETag, unless it is there already."""
    etag = found.etag or ""
    if not found.commit_hash or not _ETAG.fullmatch(etag):
        raise UsageError(
            f"{dataset}: {safe_text(url)} is not served by a Hugging Face Hub; check HF_ENDPOINT"
        )
    folder = "datasets--" + dataset.repo.replace("/", "--")
    blob = cache / folder / "blobs" / etag
    if blob.exists():
        return
    blob.parent.mkdir(parents=True, exist_ok=True)
    lock = cache / ".locks" / folder / f"{etag}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    partial = blob.with_name(f"{etag}.incomplete")
    try:
        with FileLock(lock, timeout=0):
            transfer(url, partial, found.size, f"downloading {dataset.repo} {name}", progress)
            expected = expected_sha256(etag, found.commit_hash, name)
            if expected is not None and sha256_of(partial, progress) != expected:
                partial.unlink()
                raise UsageError(f"{dataset}: {name} arrived damaged (its sha256 is wrong); fetch it again")
            partial.replace(blob)
    except Timeout as error:
        raise UsageError(f"{dataset}: another process is downloading {name}; wait for it to end") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library from drawing bars and writing warnings on a terminal that is not its own."""
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    logger = logging.getLogger("huggingface_hub")
    level, bars = logger.level, not are_progress_bars_disabled()
    logger.setLevel(logging.CRITICAL)
    if bars:
        disable_progress_bars()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
        if bars:
            enable_progress_bars()
