"""The committed page of indicators is what the program prints."""

from __future__ import annotations

from pathlib import Path

from solver.indicators.document import page
from solver.indicators.registry import definitions
from solver.indicators.settings import IndicatorSettings

ROOT = Path(__file__).parents[3]


def test_the_committed_page_is_current():
    committed = (ROOT / "docs/indicators.md").read_text(encoding="utf-8")
    assert committed == page(), "run: python -m solver.indicators.document > docs/indicators.md"


def test_every_column_is_on_the_page():
    text = page()
    for definition in definitions(IndicatorSettings()):
        stem, _, suffix = definition.key.rpartition("_")
        assert f"`{definition.key}`" in text or (f"`{stem}_p50`" in text and suffix in {"p95", "p99"})
