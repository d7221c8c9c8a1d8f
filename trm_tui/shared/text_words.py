"""Evaluations of models that write text, in words."""

from __future__ import annotations

from trm_tui.shared.words import WORDS, Facts, Figures, Words, number


def _sentence(figures: Figures, final: bool) -> str:
    windows = f"{'all ' if final else ''}{number(figures, 'windows') or 0:,.0f}"
    loss, bits = (number(figures, name) or 0.0 for name in ("val_loss", "bits_per_character"))
    return f"loss {loss:.4f} on {windows} held-out windows, {bits:.3f} bits per character"


def _facts(figures: Figures) -> Facts:
    loss, bits = (number(figures, name) or 0.0 for name in ("val_loss", "bits_per_character"))
    names = ("characters", "unknown_characters", "text_characters")
    characters, unknown, total = (number(figures, name) or 0 for name in names)
    over = f"{characters:,.0f} characters"
    if unknown:
        over = f"{characters:,.0f} of {total:,.0f} characters; {unknown:,.0f} are unknown to the model"
    return [
        ("held-out loss", f"{loss:.4f} over {over}"),
        ("bits per character", f"{bits:.4f}"),
    ]


def _aside(figures: Figures) -> Facts:
    bits = number(figures, "bits_per_character")
    return [] if bits is None else [("bits", f"{bits:.3f} per character")]


WORDS["text"] = Words(
    label="held-out",
    title="held-out loss",
    best="best loss",
    examples="windows",
    rate=("characters_per_second", "characters/s"),
    show="{:.3f}".format,
    exactly="{:.4f}".format,
    alone="loss {:.3f}".format,
    sentence=_sentence,
    facts=_facts,
    brief=_facts,
    aside=_aside,
)
