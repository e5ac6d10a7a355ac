"""What commands say of candles: how many changed, and where some are missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dcacore.ports.candle_store import Saved
    from dcacore.ports.candles import Gap


def changes_text(saved: Saved) -> str:
    """Return how many candles are new, replaced and there already."""
    if not saved.added and not saved.replaced:
        return "all there already, nothing changed"
    changes = f"{saved.added:,} new"
    if saved.replaced:
        changes += f", {saved.replaced:,} replaced"
    if saved.unchanged:
        changes += f", {saved.unchanged:,} there already"
    return changes


def gaps_text(gaps: Sequence[Gap]) -> str:
    """Return how many *gaps* there are and which is the longest."""
    from dcacore.ports.times import utc_text

    if not gaps:
        return "no gaps"
    longest = max(gaps, key=lambda gap: gap.missing)
    missing = sum(gap.missing for gap in gaps)
    return (
        f"{count(len(gaps), 'gap')} with {count(missing, 'missing candle')}, "
        f"the longest {longest.missing:,} after {utc_text(longest.after)}"
    )


def gaps_json(gaps: Sequence[Gap]) -> dict[str, object]:
    """Return the same as fields."""
    longest = max(gaps, key=lambda gap: gap.missing, default=None)
    return {
        "gaps": len(gaps),
        "missing": sum(gap.missing for gap in gaps),
        "longest_gap": gap_json(longest) if longest else None,
    }


def gap_json(gap: Gap) -> dict[str, int]:
    """Return one gap as fields."""
    return {"after_ms": gap.after, "missing": gap.missing, "resumes_ms": gap.resumes}


def count(number: int, what: str) -> str:
    """Return *number* with its noun, such as `1 gap` or `2,000 gaps`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
