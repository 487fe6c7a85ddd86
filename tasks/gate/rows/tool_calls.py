"""Tool calls: the name is declared, and the arguments are JSON that the declared schema takes."""

from __future__ import annotations

from tasks.gate.rows.row import Row
from tasks.tool_calls import fault_of


def bad_tool_call(row: Row) -> str:
    """The first call that cannot be made, and why."""
    return next((fault for call in row.calls if (fault := fault_of(call, row.tools))), "")
