"""Lengths in the student's tokens: small tokenizers that are trained here, and chat templates in two common styles."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as Bytes
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

from tasks.gate.chat_template import Unrenderable, compiled, render
from tasks.gate.student import FitsStudent, Reader
from tasks.gate.suite import Terms, read, rows
from tasks.publish.version import published, stage
from tasks.recipe import RecipeError, Student
from tasks.record import Message, Record, ToolCall
from tasks.schema import table
from tests.rows import answered, ask

TEXTS = [
    "Which lamp is best for a desk by the window?",
    "请写一首关于秋天的诗",
    "<|im_start|>user\nassistant<|im_end|>",
]
CHATML = """{%- if tools %}
<|im_start|>system
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}
<|im_end|>
{%- endif %}
{% for message in messages %}
<|im_start|>{{ message.role }}
{{ message.content }}
{%- for call in message.tool_calls or [] %}
<tool_call>{{ call.function.name }} {{ call.function.arguments.city }}</tool_call>
{%- endfor %}<|im_end|>
{% endfor %}"""
HEADERS = """{{ bos_token }}{% set day = strftime_now("%d %b %Y") %}
{%- for message in messages %}
{%- if message.role not in ["system", "user", "assistant"] %}{{ raise_exception("no role " ~ message.role) }}{% endif %}
<|start|>{{ message.role }}<|end|>
{%- if message.role == "assistant" %}{% generation %}{{ message.content }}{{ eos_token }}{% endgeneration %}
{%- else %}{{ message.content }}{% endif %}
{%- endfor %} {{ day }}"""
TOOLS = json.dumps([{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}])
LAMP = answered(ask("Which lamp is best?", 1, split="train"), "The one by the window.")
POEM = answered(ask("请写一首诗", 2, split="train"), "秋天来了，叶子落了。")
CALL = (ToolCall("c1", "weather", '{"city": "Zürich"}'),)
WEATHER = ask("Is it raining?", 3, split="train", tools=TOOLS).answering("", calls=CALL)


def tokenizer(folder: Path, **config: object) -> Path:
    """A byte-level BPE, trained on a few words; the config stands beside it."""
    folder.mkdir(exist_ok=True)
    made = Tokenizer(BPE())
    made.pre_tokenizer, made.decoder = ByteLevel(add_prefix_space=False), Bytes()
    alphabet = ByteLevel.alphabet()
    made.train_from_iterator(TEXTS, BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False))
    made.enable_truncation(4)
    made.save(str(folder / "tokenizer.json"))
    if config:
        (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    return folder / "tokenizer.json"


@pytest.fixture
def chatml(tmp_path: Path) -> Student:
    file = tokenizer(tmp_path / "chatml")
    file.with_name("chat_template.jinja").write_text(CHATML, "utf-8")
    return Student(tokenizer=str(file))


@pytest.fixture
def headers(tmp_path: Path) -> Student:
    config = {"bos_token": {"content": "<s>"}, "eos_token": "</s>", "chat_template": HEADERS}
    return Student(tokenizer=str(tokenizer(tmp_path / "headers", **config)))


def lengths(student: Student, *records: Record) -> list[int | None]:
    return [n.tokens for n in Reader.of(student).lengths(table(records).to_pylist())]


def text(student: Student, record: Record) -> str:
    reader = Reader.of(student)
    return render(reader.templates["default"], record.row(), reader.names)


def test_a_length_is_that_of_the_rendered_text_in_the_students_tokens(chatml: Student):
    counts = Tokenizer.from_file(chatml.tokenizer)
    counts.no_truncation()
    assert lengths(chatml, LAMP, POEM) == [len(counts.encode(text(chatml, r)).ids) for r in (LAMP, POEM)]
    assert text(chatml, POEM) == (
        "<|im_start|>user\n请写一首诗<|im_end|>\n<|im_start|>assistant\n秋天来了，叶子落了。<|im_end|>\n"
    )


def test_tools_and_calls_are_rendered_with_arguments_as_an_object(chatml: Student):
    said = text(chatml, WEATHER)
    assert '{"type": "function", "function": {"name": "weather"' in said
    assert "<tool_call>weather Zürich</tool_call>" in said


def test_arguments_that_are_no_object_are_rendered_as_they_stand(chatml: Student):
    wild = replace(
        WEATHER, messages=(WEATHER.messages[0], Message("assistant", "", tool_calls=(ToolCall("", "f", "{"),)))
    )
    assert "<tool_call>f </tool_call>" in text(chatml, wild)


def test_the_input_counts_below_what_is_asked(chatml: Student):
    assert "Which lamp is best?\n\nA, B or C" in text(chatml, replace(LAMP, input="A, B or C"))


def test_special_tokens_come_from_the_config_and_the_day_is_always_the_same(headers: Student):
    said = text(headers, LAMP)
    assert said.startswith("<s>")
    assert "The one by the window.</s>" in said
    assert said.endswith("01 Jan 2026")


def test_a_row_that_the_template_refuses_has_no_length_and_says_why(headers: Student):
    told = replace(LAMP, messages=(Message("tool", "42"), *LAMP.messages))
    fine, refused = Reader.of(headers).lengths(table([LAMP, told]).to_pylist())
    assert fine.tokens
    assert (refused.tokens, refused.fault) == (None, "no role tool")


def test_a_model_with_a_template_of_its_own_for_tools_uses_it(tmp_path: Path):
    named = [
        {"name": "default", "template": "plain"},
        {"name": "tool_use", "template": "plain and {{ tools | length }} tools"},
    ]
    student = Student(tokenizer=str(tokenizer(tmp_path / "two", chat_template=named)))
    plain, tooled = lengths(student, LAMP, WEATHER)
    assert plain is not None
    assert tooled is not None
    assert plain < tooled


HOSTILE = [
    "{{ messages.__class__.__mro__ }}",
    "{{ messages.append(1) }}",
    "{% for i in range(10 ** 9) %}x{% endfor %}",
    "{{ ''.__class__.__base__.__subclasses__() }}",
    "{{ messages[9].content }}",
    "{{ 1 / 0 }}",
    "{{ raise_exception('no') }}",
]


@pytest.mark.parametrize("template", HOSTILE)
def test_a_template_can_neither_reach_out_nor_change_nor_break_anything(template: str):
    with pytest.raises(Unrenderable):
        render(compiled(template), LAMP.row(), {})


def test_the_text_of_a_row_is_never_a_template(chatml: Student):
    sly = answered(ask("{{ 7 * 7 }} {% raw %} {{ messages.__class__ }}"), "{% endfor %}<|im_end|>")
    assert "{{ 7 * 7 }} {% raw %} {{ messages.__class__ }}<|im_end|>" in text(chatml, sly)


def test_rows_that_do_not_fit_or_do_not_render_are_dropped_with_a_reason(headers: Student):
    long = answered(ask("Why?", 4), "because " * 300)
    told = replace(LAMP, messages=(Message("tool", "42"), *LAMP.messages))
    sieved = FitsStudent(headers.model_copy(update={"max_sequence": 400}))(table([LAMP, long, told, POEM]))
    assert sieved.reason.to_pylist() == [None, "gated:too_long_for_student", "gated:unrenderable", None]
    assert sieved.detail is not None
    assert sieved.detail.to_pylist()[1:3] == [f"{lengths(headers, long)[0]} tokens, at most 400", "no role tool"]


def test_a_row_of_exactly_the_longest_length_fits(chatml: Student):
    (tokens,) = lengths(chatml, POEM)
    assert tokens
    for most, reason in ((tokens, None), (tokens - 1, "gated:too_long_for_student")):
        sieved = FitsStudent(chatml.model_copy(update={"max_sequence": most}))(table([POEM]))
        assert sieved.reason.to_pylist() == [reason]


def test_the_step_depends_on_every_file_that_it_reads(headers: Student):
    names = [Path(f).name for f in FitsStudent(headers).reads]
    assert names == ["tokenizer.json", "tokenizer_config.json"]


def test_the_gates_say_which_rows_of_a_dataset_do_not_fit_and_by_how_much(tmp_path: Path, chatml: Student):
    stage(tmp_path / "version", published(table([LAMP, POEM])))
    sizes = dict(zip((LAMP.row_id, POEM.row_id), lengths(chatml, LAMP, POEM), strict=True))
    longest = max(sizes, key=lambda i: sizes[i] or 0)
    most = (sizes[longest] or 0) - 2
    terms = Terms({"task_types": ["writing"], "max_sequence": most}, chatml)
    found = {f.rule: f for f in rows(read("data/gates/default.yaml"), tmp_path / "version", terms)}
    assert found["renders_for_student"].passed
    assert found["fits_student"].blocks
    assert found["fits_student"].observed == f"1 of 2 rows (50.0%) break it ({most + 2} is 2 too many)"
    assert found["fits_student"].rows == (longest,)


def test_the_gates_name_a_row_that_does_not_render(tmp_path: Path, headers: Student):
    told = replace(LAMP, messages=(Message("tool", "42"), *LAMP.messages))
    stage(tmp_path / "version", published(table([told, POEM])))
    terms = Terms({"task_types": ["writing"], "max_sequence": 9999}, headers)
    found = {f.rule: f for f in rows(read("data/gates/default.yaml"), tmp_path / "version", terms)}
    assert (found["renders_for_student"].blocks, found["renders_for_student"].rows) == (True, (told.row_id,))
    assert found["fits_student"].passed


def spoil(name: str, raw: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(raw) and None


SPOILT = [
    (spoil("tokenizer.json", b"{"), "student.tokenizer", "tokenizer.json cannot be read"),
    (spoil("tokenizer.json", b"\xff\xfe"), "student.tokenizer", "tokenizer.json cannot be read"),
    (lambda folder: (folder / "tokenizer.json").unlink(), "student.tokenizer", "no file at"),
    (lambda folder: (folder / "tokenizer_config.json").unlink(), "student.chat_template", "no file at"),
    (spoil("tokenizer_config.json", b"{"), "student.chat_template", "config.json cannot be read"),
    (spoil("tokenizer_config.json", b"[]"), "student.chat_template", "expected an object"),
    (spoil("tokenizer_config.json", b"{}"), "student.chat_template", "KeyError: 'chat_template'"),
    (spoil("tokenizer_config.json", b'{"chat_template": 7}'), "student.chat_template", "config.json cannot be read"),
    (spoil("tokenizer_config.json", b'{"chat_template": "{% if %}"}'), "student.chat_template", "Syntax"),
    (spoil("tokenizer_config.json", b'{"chat_template": "{{ x.y }}"}'), "student.chat_template", "does not render"),
]


@pytest.mark.parametrize(("spoil_", "where", "said"), SPOILT)
def test_a_file_of_the_student_that_cannot_be_used_is_a_fault_of_the_recipe(
    headers: Student, spoil_: Callable[[Path], None], where: str, said: str
):
    Reader.of(headers).load()
    spoil_(Path(headers.tokenizer).parent)
    with pytest.raises(RecipeError, match=said) as fault:
        Reader.of(headers).load()
    assert fault.value.where == where
