"""Colours of the theme as Rich styles, for widgets that paint their own lines."""

from __future__ import annotations

from rich.style import Style
from textual.color import Color, ColorParseError
from textual.widget import Widget

_MUTED = {"text-muted", "foreground-muted"}
_MUTED_SHARE = 0.62


def style_of(widget: Widget, name: str, *, faint: bool = False) -> Style:
    """Return the style of a theme's colour by name; `faint` for what stands behind something else."""
    variables = widget.app.theme_variables
    background = widget.background_colors[1]
    share = 0.45 if faint else 1.0
    if name in _MUTED:
        name, share = "foreground", share * _MUTED_SHARE
    try:
        # A variable may carry a share of its own, as in "#00aaff 50%".
        colour = Color.parse(variables.get(name, variables["foreground"]).split(" ")[0])
    except ColorParseError:  # "auto": Textual would choose by contrast
        colour = Color.parse(variables["primary"])
    if colour.ansi is not None or background.ansi is not None:
        return Style(color=colour.rich_color, dim=share < 1 or None)
    return Style(color=background.blend(colour, share, alpha=1.0).rich_color)
