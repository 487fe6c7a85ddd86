"""How a plan is shown: what each stage would send and spend, and what the figures stand on."""

from __future__ import annotations

from typing import Any

COLUMNS = ("calls", "stored", "tokens in", "tokens out", "USD")


def page(plan: dict[str, Any]) -> list[str]:
    """The lines of a plan; a plan of no prompts has one."""
    lines = [f"        {plan.get('prompts', 0):>7} prompts to ask"]
    if not plan.get("stages"):
        return lines
    lines += ["", line("plan", *COLUMNS)]
    lines += [line(stage, *shown(figures, plan["unpriced"])) for stage, figures in plan["stages"].items()]
    lines += [line("in all", *shown(plan, plan["unpriced"])), ""]
    return lines + [f"  note  {said}" for said in notes(plan)]


def line(name: str, *cells: str) -> str:
    return f"  {name:<8}" + "".join(f"{cell:>12}" for cell in cells)


def shown(figures: dict[str, Any], unpriced: list[str]) -> list[str]:
    """The cells of a line; money that nobody knows is a question mark."""
    whole = [f"{figures[what]:,}" for what in ("calls", "hits", "tokens_in", "tokens_out")]
    known = figures["usd"] or not unpriced
    return [*whole, f"{figures['usd']:.4f}" if known else "?"]


def notes(plan: dict[str, Any]) -> list[str]:
    """What a reader of the figures must know about them."""
    said = list(plan["over"])
    said += [f"set {where}: without it nobody knows the price" for where in plan["unpriced"]]
    if plan["drawn"] < plan["prompts"]:
        said.append(f"worked out on {plan['drawn']} of the prompts, and scaled")
    if plan["guessed"]:
        what = "how long they are and what they lead to is a guess until the store holds some of this teacher"
        said.append(f"the replies of {plan['guessed']} calls are invented: {what}")
    if plan["spared"]:
        free = "are reckoned as the small model's, at no cost; where it is not good enough, the teacher gives them"
        said.append(f"{plan['spared']} answers {free}")
    if plan["minutes"]:
        said.append(f"{plan['minutes']:g} minutes at least, by the rate limits")
    return said
