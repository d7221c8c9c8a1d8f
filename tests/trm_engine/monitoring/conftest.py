from __future__ import annotations

from tests.trm_engine.machine import make_system, topology

__all__ = ["make_system", "topology"]
