"""What people do in the explore view, in a browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

CELL = ".xp-cell"
DONE = ".xp-cell[data-state=done]"
WORDS = ".xp-words"
PROGRESS = ".xp-progress [role=status]"


def open_explore(page: Page) -> None:
    page.click("#explore-tab")
    page.wait_for_selector(".xp-preset")


def plan(page: Page, **axes: str) -> None:
    """Fill in the axes of a plan of one's own; each value as a person types it."""
    if not page.locator("#xp-axes").is_visible():
        page.click("[data-act=custom]")
    for number, (name, text) in enumerate(axes.items()):
        if page.locator(".xp-axis").count() <= number:
            page.click("[data-act=add-axis]")
        axis = page.locator(".xp-axis").nth(number)
        axis.locator("select").select_option(name)
        axis.locator("textarea" if name == "prompt" else "input[type=text]").fill(text)


def begin(page: Page, runs: int) -> None:
    """Press Run once the plan says how many runs it has."""
    expect(page.locator(WORDS)).to_contain_text(f"{runs} run")
    expect(page.locator("#run")).to_have_text(f"Run {runs}")
    page.click("#run")
