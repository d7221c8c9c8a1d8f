"""The answer cache: bounded, least recently used first to go, and harmless when its files are not."""

from __future__ import annotations

from pathlib import Path

from trm_engine.serving.cache import AnswerCache, cache_key


def test_the_least_recently_used_goes_first() -> None:
    cache = AnswerCache(800)
    for name in "abcdefgh":
        cache.put(name, b"x" * 100)
    assert cache.get("a") is not None
    cache.put("i", b"x" * 100)
    assert cache.get("b") is None
    assert cache.get("a") is not None
    assert cache.size == 800


def test_what_would_fill_the_cache_is_not_kept() -> None:
    cache = AnswerCache(800)
    cache.put("a", b"x" * 101)
    assert cache.get("a") is None
    assert (cache.hits, cache.misses) == (0, 1)


def test_a_value_replaced_is_counted_once() -> None:
    cache = AnswerCache(800)
    cache.put("a", b"x" * 100)
    cache.put("a", b"y" * 50)
    assert cache.size == 50
    assert cache.get("a") == b"y" * 50


def test_answers_on_disk_outlive_the_process(tmp_path: Path) -> None:
    key = cache_key(["weights", [1, 2], None])
    AnswerCache(8000, tmp_path / "answers").put(key, b'{"solved":true}')
    again = AnswerCache(8000, tmp_path / "answers")
    assert again.get(key) == b'{"solved":true}'
    assert again.get("../../etc/passwd") is None


def test_a_damaged_file_is_as_good_as_none(tmp_path: Path) -> None:
    key = cache_key(["weights"])
    AnswerCache(8000, tmp_path).put(key, b"{}")
    (tmp_path / f"{key}.json").write_bytes(b'{"solved":tr')
    assert AnswerCache(8000, tmp_path).get(key) is None


def test_the_folder_is_bounded(tmp_path: Path) -> None:
    cache = AnswerCache(80_000, tmp_path, most_disk_bytes=500)
    for number in range(20):
        cache.put(cache_key([number]), b'"' + b"x" * 98 + b'"')
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 500


def test_everything_that_decides_an_answer_is_in_the_key() -> None:
    parts = ["1", "weights", [1, 2, 3], 0, None, "checked", 8, 4]
    keys = {cache_key(parts)}
    for place, other in enumerate(["2", "other", [1, 2, 4], 1, [3], "all", 9, 5]):
        keys.add(cache_key([*parts[:place], other, *parts[place + 1 :]]))
    assert len(keys) == len(parts) + 1
