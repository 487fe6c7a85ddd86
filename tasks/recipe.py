"""The recipe: everything a run may be told, as one checked object.

A YAML file on disk, `--set key.path=value` on the command line, a form in the Prefect UI: all three
are this model. Every field has a default that is fit for use, but for where the logs are and which
model teaches.
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

PROJECT = Path(__file__).resolve().parent.parent


class RecipeError(ValueError):
    """The recipe cannot be used; `where` is the field, `hint` what to do."""

    def __init__(self, what: str, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.hint = what, where, hint


def utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(utc)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_default=True)


class Mapping(Part):
    """Where a log line keeps what; dotted paths. The defaults are the shape of the project's samples."""

    id: str = Field(default="id", description="The row's own id; without one, its content stands for it.")
    time: str = Field(
        default="created_at", description="When it was asked: ISO 8601, or seconds or milliseconds since 1970."
    )
    messages: str = Field(default="messages", description="The turns, the last one what is asked (or its answer).")
    response: str = Field(default="response", description="What the logged model answered.")
    conversation: str = Field(default="conversation_id", description="The session that the turn belongs to.")
    user: str = Field(default="user_id", description="Who asked; kept as a hash only.")
    model: str = Field(default="model", description="The logged model.")
    vote: str = Field(default="feedback", description="up or down, thumbs, 1 or -1.")
    tools: str = Field(default="tools", description="The declared tools, as a list or as JSON text.")
    input: str = Field(default="", description="Text that goes with what is asked; none where it is empty.")
    system: str = Field(default="", description="A system turn that stands beside the turns; none where it is empty.")


READY = {
    "own": Mapping(),
    "openai": Mapping(
        time="ts",
        messages="request.messages",
        response="response.choices.0.message.content",
        conversation="request.metadata.session_id",
        user="request.user",
        model="request.model",
        tools="request.tools",
    ),
    "sharegpt": Mapping(messages="conversations", system="system"),
    "alpaca": Mapping(messages="instruction", response="output", input="input", system="system"),
}


def mapped(given: Any) -> Any:
    """A ready-made mapping by its name. Raises ValueError with the nearest name."""
    if not isinstance(given, str):
        return given
    if given in READY:
        return READY[given]
    near = difflib.get_close_matches(given, READY, 1) or READY
    raise ValueError(f"there is no ready mapping {given}; did you mean {' or '.join(near)}")


class Source(Part):
    """Where logs come from."""

    uri: str = Field(description="A file (JSON Lines, JSON, CSV or Parquet), a folder of them, or a glob.")
    name: str = Field(
        default="logs", description="Names this source in log ids; give two sources with clashing row ids two names."
    )
    mapping: Annotated[Mapping, BeforeValidator(mapped)] = Field(
        default=Mapping(), description="Where a log line keeps what; or openai, sharegpt, alpaca or own."
    )
    delimiter: str | None = Field(
        default=None, pattern=r'^[^"\r\n]$', description="Between the cells of CSV; found where it is left out."
    )
    since: Moment | None = Field(default=None, description="Rows asked before this are left alone (inclusive bound).")


class Price(Part):
    """US dollars for a million tokens."""

    input: float = Field(ge=0, description="USD for a million prompt tokens.")
    output: float = Field(ge=0, description="USD for a million response tokens.")


class Endpoint(Part):
    """A model behind an OpenAI-compatible API."""

    base_url: str | None = Field(
        default=None, description="Ends in /v1 as a rule. Default: OPENAI_BASE_URL, else OpenAI."
    )
    model: str | None = Field(default=None, description="The model's name as the endpoint knows it.")
    api_key_env: str = Field(default="OPENAI_API_KEY", description="The environment variable that holds the key.")
    max_in_flight: int = Field(default=64, ge=1, description="Calls under way at once.")
    rpm: int | None = Field(default=None, ge=1, description="Requests a minute.")
    tpm: int | None = Field(default=None, ge=1, description="Tokens a minute, prompt and response.")
    timeout: float = Field(default=120, gt=0, description="Seconds before a call counts as hung.")
    attempts: int = Field(default=5, ge=1, description="How often a call that fails in passing is tried.")
    patience: float = Field(default=600, ge=0, description="Seconds that a call waits through rate limits in all.")
    price: Price | None = Field(default=None, description="USD for a million tokens; needed for budget.usd.")
    licence: str = Field(default="", description="Licence of the model's output; stamped on every row.")
    structured: Literal["json_schema", "json_object", "text"] = Field(
        default="json_schema", description="How the endpoint is asked for JSON."
    )
    recorded: str | None = Field(default=None, description="A file of recorded answers to replay instead of a model.")


class Budget(Part):
    """Caps for one run; none by default. What does not fit is pending and goes on with the next run."""

    usd: float | None = Field(default=None, ge=0, description="Money; needs a price on each endpoint.")
    tokens: int | None = Field(default=None, ge=0, description="Prompt and response tokens.")
    calls: int | None = Field(default=None, ge=0, description="Calls sent.")


class Output(Part):
    """Where the dataset is kept."""

    dir: str = Field(default="data/lake", description="The lake: one folder for each dataset.")
    name: str = Field(default="weekly", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="The dataset's name.")


class Pulling(Part):
    """How much of the logs may be unreadable before the run stops: by then the file or its mapping is wrong."""

    max_unreadable_share: float = Field(
        default=0.5, ge=0, le=1, description="Of the new lines of a file, and of a source, from 20 lines on."
    )
    max_unreadable_rows: int | None = Field(default=None, ge=0, description="New unreadable lines in a source.")


class Clean(Part):
    """What may be taken out of a text before it is asked and published. Fenced code is never touched."""

    html: bool = Field(default=False, description="Strip HTML tags and decode entities.")
    boilerplate: list[str] = Field(default=[], description="Lines to take out, as they stand (ads, signatures).")


class Mine(Part):
    """Which prompts are worth a teacher's answer."""

    languages: list[Literal["en", "zh"]] = Field(default=["en", "zh"], description="Others are dropped.")
    min_units: int = Field(default=3, ge=0, description="Shortest ask in words, or characters of Chinese.")
    max_units: int = Field(default=8000, ge=1, description="Longest conversation in words, or characters of Chinese.")


class Label(Part):
    """Two-level task type and domain for every record."""

    taxonomy: str = Field(default="data/taxonomy.yaml", description="The team's own task types and domains, or ours.")
    temperature: float = Field(default=0.0, ge=0, le=2, description="How freely a label is drawn; 0 for the likeliest.")
    reasks: int = Field(default=1, ge=0, description="How often a reply that is not the JSON asked for is asked again.")


class Answer(Part):
    """How the teacher answers."""

    chain_of_thought_for: list[str] = Field(
        default=["mathematics", "reasoning"], description="Task types where the teacher reasons first; [] for none."
    )
    keep_reasoning: bool = Field(default=False, description="Publish the reasoning as reasoning_content.")
    few_shot: int = Field(default=0, ge=0, description="Examples sent before the conversation, drawn from the pool.")
    pool: str = Field(default="data/few_shot.jsonl", description="The examples: JSONL of language, prompt, response.")
    temperature: float = Field(default=0.7, ge=0, le=2, description="How freely an answer is drawn.")
    max_tokens: int = Field(default=4096, ge=1, description="Longest answer; what is cut there is dropped.")
    reasks: int = Field(default=1, ge=0, description="How often a reply that cannot be read is asked again.")


class Judging(Part):
    """How answers are judged: 0-5 with a reason, and harmless as a veto."""

    reasks: int = Field(default=1, ge=0, description="How often a verdict that cannot be read is asked again.")
    min_score: float = Field(default=4.5, ge=0, le=5, description="Rows below it are dropped (AlpaGasus: 4.5).")


class Gates(Part):
    """What must hold of the whole dataset before it is published."""

    suite: str = Field(default="data/gates/default.yaml", description="Rules with severities; a critical one blocks.")


class Dedup(Part):
    """What counts as the same."""

    threshold: float = Field(
        default=0.7, gt=0, le=1, description="Jaccard similarity of shingles from which prompts are one."
    )
    answer_threshold: float = Field(
        default=0.7, gt=0, le=1, description="The same for answers, where prompts are close too."
    )
    close: float = Field(
        default=0.5, gt=0, le=1, description="From here on two prompts are close: one side of the split."
    )
    max_answer_share: float = Field(default=0.02, gt=0, le=1, description="Most rows with one answer text, as a share.")
    max_answer_rows: int = Field(default=20, ge=1, description="And never fewer than this many.")


class Split(Part):
    """Shares of the rows that go to validation and test; clusters stay whole."""

    validation: float = Field(default=0.05, ge=0, lt=1, description="Share of the rows for validation.")
    test: float = Field(default=0.05, ge=0, lt=1, description="Share of the rows for test.")

    @model_validator(mode="after")
    def leaves_train(self) -> Split:
        if self.validation + self.test >= 1:
            raise ValueError(f"validation {self.validation:g} and test {self.test:g} leave nothing to train on")
        return self


class Recipe(Part):
    """One refresh, whole."""

    sources: list[Source] = Field(default=[], description="Where the logs are.")
    teacher: Endpoint = Field(default=Endpoint(), description="Who answers.")
    judge: Endpoint | None = Field(default=None, description="Who labels and judges; the teacher when left out.")
    budget: Budget = Field(default=Budget(), description="Caps on money, tokens and calls.")
    output: Output = Field(default=Output(), description="Where the dataset is kept.")
    seed: int = Field(default=7, description="Every random choice comes from it.")
    card_language: Literal["en", "zh"] = Field(default="en", description="The language of the dataset card.")
    licence: str = Field(default="other", description="The dataset's licence, for its card.")
    pull: Pulling = Field(default=Pulling(), description="How much of the logs may be unreadable.")
    clean: Clean = Field(default=Clean(), description="What may be taken out of a text.")
    mine: Mine = Field(default=Mine(), description="Which prompts are worth an answer.")
    label: Label = Field(default=Label(), description="Task types and domains.")
    answer: Answer = Field(default=Answer(), description="How the teacher answers.")
    judging: Judging = Field(default=Judging(), description="How answers are judged.")
    gates: Gates = Field(default=Gates(), description="What must hold before a version is published.")
    dedup: Dedup = Field(default=Dedup(), description="What counts as the same.")
    split: Split = Field(default=Split(), description="Shares for validation and test.")
    shard_rows: int = Field(default=1000, ge=1, description="Records in one Prefect task.")

    @model_validator(mode="after")
    def priced(self) -> Recipe:
        for who in ("teacher", "judge"):
            end = getattr(self, who)
            if self.budget.usd is not None and end and end.price is None and not end.recorded:
                raise ValueError(f"budget.usd needs {who}.price: {{input, output}} in USD for a million tokens")
        return self

    @property
    def dataset(self) -> Path:
        return located(self.output.dir) / self.output.name


def located(path: str) -> Path:
    """A path of the recipe: absolute, or from where the command runs, or from the project."""
    given = Path(path).expanduser()
    if given.is_absolute() or given.exists() or not (PROJECT / given).exists():
        return given.absolute()
    return PROJECT / given


def read(path: str | Path, changes: Iterable[str] = ()) -> Recipe:
    """A recipe from a YAML file, with `key.path=value` changes. Raises RecipeError with the field named."""
    file = located(str(path))
    if not file.is_file():
        raise RecipeError(f"no recipe at {file}", hint=f"try {PROJECT / 'deployments/recipes/minimal.yaml'}")
    try:
        plain = yaml.safe_load(file.read_text()) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise RecipeError(f"{file} is not YAML: {str(fault).replace(chr(10), ' ')}", where=str(file)) from None
    if not isinstance(plain, dict):
        raise RecipeError(f"{file} holds a {type(plain).__name__}; expected fields such as sources and teacher")
    for change in changes:
        put(plain, change)
    return checked(plain, str(file))


def put(plain: dict[str, Any], change: str) -> None:
    """Set `key.path=value`; the value is read as YAML, a number in the path counts into a list."""
    path, sign, value = change.partition("=")
    if not sign or not path:
        raise RecipeError(f"--set {change}: expected key.path=value, such as teacher.model=gpt-5")
    *way, last = path.split(".")
    try:
        here: Any = plain
        for key in way:
            if isinstance(here, dict) and here.get(key) is None:
                here[key] = {}
            here = here[int(key) if isinstance(here, list) else key]
        here[int(last) if isinstance(here, list) else last] = yaml.safe_load(value)
    except (IndexError, ValueError, TypeError, AttributeError, yaml.YAMLError):
        raise RecipeError(f"--set {change}: there is no {path} in the recipe", where=path) from None


def checked(plain: dict[str, Any], where: str = "recipe") -> Recipe:
    """The model from plain data; the first fault as one sentence that names the field and the nearest right one."""
    try:
        return Recipe.model_validate(plain)
    except ValidationError as faults:
        fault = min(faults.errors(), key=lambda f: f["type"] != "extra_forbidden")  # a typo explains what is missing
        field = ".".join(map(str, fault["loc"]))
        if fault["type"] == "extra_forbidden":
            known = fields_at(fault["loc"][:-1])
            near = difflib.get_close_matches(str(fault["loc"][-1]), known, 1)
            hint = f"did you mean {near[0]}" if near else f"the fields there are {', '.join(known)}"
            raise RecipeError(f"{where}: there is no field {field}", field, hint) from None
        said = fault["msg"].removeprefix("Value error, ")
        raise RecipeError(f"{where}: {field + ': ' if field else ''}{said}", field) from None


def fields_at(way: tuple[int | str, ...]) -> list[str]:
    """The field names of the model that stands at a path of the recipe."""
    model: type[BaseModel] = Recipe
    for key in way:
        if isinstance(key, str) and key in model.model_fields:
            model = part_of(model.model_fields[key].annotation) or model
    return list(model.model_fields)


def part_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (list, Union, types.UnionType, Annotated):
        return next((found for a in get_args(annotation) if (found := part_of(a))), None)
    return None
