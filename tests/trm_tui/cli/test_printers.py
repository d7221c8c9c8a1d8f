from __future__ import annotations

import pytest

from tests.trm_tui.fake_engine import stepped
from trm_tui.cli.terminal import printers


@pytest.mark.parametrize(
    ("rate", "line"), [(0.0, "loss 0.500 · 100 MB"), (4.38, "100 MB · 4.38 samples/s · ETA 1:30")]
)
def test_a_line_tells_no_speed_before_there_is_one(
    rate: float, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(printers, "_PLAIN_SECONDS", 0.0)
    with printers.ProgressPrinter() as printer:
        printer(stepped(1, loss=0.5, samples_per_second=rate, eta_seconds=90.0 * bool(rate), rss_bytes=10**8))
    assert capsys.readouterr().err.rstrip().endswith(line)
