"""Text that meets a person: made harmless, made short, and matched to what they may have meant."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Iterable

# C0 but tab and newline, DEL, C1, and the bidirectional controls that can disguise what a line says.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86_400, 31_557_600


def safe_text(text: str) -> str:
    """Return `text` with every character removed that could drive a terminal or reorder a line."""
    return _UNSAFE.sub("", text)


def one_line(text: str, longest: int | None = 200) -> str:
    """Return foreign text as one harmless line; above `longest` characters it ends in an ellipsis."""
    line = " ".join(safe_text(_encodable(text)).split())
    return line if longest is None or len(line) <= longest else line[: longest - 1].rstrip() + "…"


def first_line(text: str, otherwise: str) -> str:
    """Return the first line of foreign text, harmless to print; `otherwise` where it is empty."""
    return next(iter(safe_text(text).splitlines()), "") or otherwise


def quoted(text: str, longest: int = 60) -> str:
    """Return foreign text in quotes as JSON and TOML write it, on one line, shortened and harmless."""
    short = text if len(text) <= longest else text[:longest] + "…"
    return safe_text(json.dumps(_encodable(short), ensure_ascii=False))


def _encodable(text: str) -> str:
    """Return text with a mark in place of every lone surrogate, which no encoding has."""
    return text.encode("utf-8", "replace").decode("utf-8")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `name`, or None when nothing is close."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return matches[0] if matches else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ` Did you mean "…"?`, or the list of what exists when nothing is close."""
    names = sorted(known)
    match = nearest(name, names)
    if match is not None:
        return f' Did you mean "{match}"?'
    return f" Known: {', '.join(names)}." if names else ""


def format_bytes(count: float) -> str:
    """Return a size in the unit a person would use: `512 B`, `3.1 MB`, `7.9 GB` (decimal units)."""
    for unit in ("B", "kB", "MB"):
        if abs(count) < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB" if abs(count) < 1000 else f"{count / 1000:,.1f} TB"


def format_cache(count: float) -> str:
    """Return the size of a processor's cache, in the units that its maker states: `32 KiB`, `1.5 MiB`."""
    kibibytes = count / 1024
    return f"{kibibytes:,.4g} KiB" if kibibytes < 1024 else f"{kibibytes / 1024:,.4g} MiB"


def three_digits(value: float) -> str:
    """Return a rate or a ratio with the digits that tell small ones apart: `0.735`, `4.38`, `1,566`."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def format_seconds(seconds: float) -> str:
    """Return a duration as `m:ss` or `h:mm:ss`, in days from two on; `unknown` for no number."""
    if not math.isfinite(seconds):
        return "unknown"
    if seconds >= 2 * _DAY:
        return duration(seconds)
    whole = round(max(seconds, 0.0))
    hours, rest = divmod(whole, 3600)
    minutes, seconds_left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{seconds_left:02d}" if hours else f"{minutes}:{seconds_left:02d}"


def duration(seconds: float) -> str:
    """Return a time in the units a person would plan with: `42 s`, `3 min 10 s`, `5 h 20 min`, `4 days`."""
    if not math.isfinite(seconds):
        return "unknown"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{whole} s"
    if whole < 10 * _MINUTE:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < 2 * _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    if whole < 2 * _YEAR:
        return f"{whole / _DAY:,.0f} days"
    return f"{whole / _YEAR:,.0f} years"
