"""What axe-core finds on a page."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[2] / "tools" / "web" / "node_modules" / "axe-core" / "axe.min.js"


def violations(page: Page) -> list[str]:
    """Return what axe finds, one line each; the framework's own sign of loading is not ours."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({ exclude: ['.loading'] }, { resultTypes: ['violations'] })")["violations"]
    return [f"{each['id']}: {[node['target'] for node in each['nodes']][:5]}" for each in found]
