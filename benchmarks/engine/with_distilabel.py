"""distilabel as documented: a pipeline that loads rows and generates texts, with its cache; a batch as large as what is
to be in flight."""

from __future__ import annotations

from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration
from measured import KEY, MAX_TOKENS, MODEL, RETRIES, TIMEOUT, Given, measured


def answers(given: Given) -> list[str | None]:
    with Pipeline(name="measured", cache_dir=given.cache) as pipeline:
        rows = LoadDataFromDicts(
            data=[{"number": n, "instruction": q} for n, q in enumerate(given.questions)], batch_size=given.in_flight
        )
        llm = OpenAILLM(
            model=MODEL,
            base_url=given.url,
            api_key=KEY,
            timeout=TIMEOUT,
            max_retries=RETRIES,
            generation_kwargs={"max_new_tokens": MAX_TOKENS},
        )
        rows.connect(TextGeneration(llm=llm, input_batch_size=given.in_flight))
    made = pipeline.run(use_cache=True)["default"]["train"]
    said = {row["number"]: row["generation"] for row in made}
    return [said.get(n) for n in range(given.calls)]


if __name__ == "__main__":
    measured(answers)
