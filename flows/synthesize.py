"""A turn of the wheel without logs: techniques start from seeds, topics, documents or datasets.

From there on it is the same wheel: prompts are labelled, answered, judged, gated, deduplicated against all that was
ever asked, and published as a version of the same kind of dataset.
"""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.producing import chain, starts
from flows.refresh import Whole, turned
from tasks.recipe import RecipeError


@flow(name="synthesize", flow_run_name="{recipe.output.name}", persist_result=False, validate_parameters=True)
async def synthesize(recipe: Whole, plan: bool = False) -> State[Any]:
    """Make a dataset, or more of one, from what the recipe's `produce` starts with.

    Args:
        recipe: What to make, who teaches, what to keep: field by field, or the path of a recipe's file.
        plan: Say calls, tokens and money for each stage and call nobody.
    """
    links, _ = chain(recipe)
    if not starts(links):
        what = f"{links[0].called} starts with nothing given" if links else "no technique is named"
        hint = "begin with one that does: flywheel techniques says which start"
        raise RecipeError(what.replace("starts", "cannot start"), "produce", hint)
    return await turned(recipe.model_copy(update={"sources": []}), None, None, plan)
