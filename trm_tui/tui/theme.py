"""The app's own dark and light theme. Colour never says alone what text or a sign does not say too."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="trm-dark",
    dark=True,
    background="#0f1319",
    surface="#151a22",
    panel="#232b38",
    foreground="#d5dbe6",
    primary="#5cb3ff",
    secondary="#b794f6",
    accent="#f6b45a",
    success="#6fd08c",
    warning="#f4c95d",
    error="#f5707a",
    variables={
        "text-muted": "#8e99ab",
        "foreground-muted": "#8e99ab",
        "border": "#6b7a92",
        "border-blurred": "#2c3544",
        "footer-background": "#151a22",
        "footer-key-foreground": "#f6b45a",
        "footer-description-foreground": "#98a3b5",
        "block-cursor-background": "#2b5c8f",
        "block-cursor-foreground": "#ffffff",
    },
)

LIGHT = Theme(
    name="trm-light",
    dark=False,
    background="#fafaf7",
    surface="#f1f2ee",
    panel="#e2e5e8",
    foreground="#20262f",
    primary="#0b63ce",
    secondary="#7c3aad",
    accent="#a85400",
    success="#15803d",
    warning="#946200",
    error="#c21f3a",
    variables={
        "text-muted": "#5f6875",
        "foreground-muted": "#5f6875",
        "border": "#7d8794",
        "border-blurred": "#cfd4da",
        "footer-background": "#f1f2ee",
        "footer-key-foreground": "#a85400",
        "footer-description-foreground": "#5a6472",
        "block-cursor-background": "#cfe0f7",
        "block-cursor-foreground": "#20262f",
    },
)

THEMES = (DARK, LIGHT)

OVERLAYS_ON_DARK = ("#ff6ec7", "#2fd6c4", "#b5e853", "#c98f65", "#f0f0f0")
OVERLAYS_ON_LIGHT = ("#c2187a", "#00807a", "#5f7d00", "#7a4a20", "#101010")
"""Colours of other sessions' curves: none is near one of a run's own lines."""
