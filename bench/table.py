"""A measured value, its goal, and the table of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        name: what was measured.
        value: how much, in `unit`.
        goal: the most it should be.
        unit: `x` for a ratio, `s` for seconds.
        detail: the numbers that the value was made from.
    """

    name: str
    value: float
    goal: float
    unit: str
    detail: str

    @property
    def passed(self) -> bool:
        """Whether the goal was reached."""
        return self.value <= self.goal


def show(rows: list[Row]) -> str:
    """Return the table as text."""
    lines = [("measured", "value", "goal", "ratio to goal", "", "from")]
    for row in rows:
        value, goal = f"{row.value:.2f} {row.unit}", f"<= {row.goal:.2f} {row.unit}"
        ratio = f"{row.value / row.goal:.2f}" if row.goal else "-"
        lines.append((row.name, value, goal, ratio, "pass" if row.passed else "short", row.detail))
    widths = [max(len(line[i]) for line in lines) for i in range(6)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
