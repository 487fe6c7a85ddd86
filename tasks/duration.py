"""A span of time in words."""

from __future__ import annotations


def spoken(seconds: float) -> str:
    """The two largest units of a span: `9 s`, `2 min 5 s`, `3 h 0 min`, `4 days 12 h`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, days = minutes // 60, minutes // (24 * 60)
    if not minutes:
        return f"{rest} s"
    if not hours:
        return f"{minutes} min {rest} s"
    return f"{hours} h {minutes % 60} min" if days < 2 else f"{days} days {hours % 24} h"
