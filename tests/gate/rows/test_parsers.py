import subprocess
import sys
from pathlib import Path

import pytest

from tasks.fences import Block, blocks
from tasks.gate.rows.parsers import DEEPEST, MOST_CHARACTERS, PARSERS, Fault, bounded

WHOLE = {
    "python": [
        "async def f():\n    return await g()\nreturn 1",
        "    x = 1\n    y = 2",
        "def todo(x):\n    # your turn\n",
        "%matplotlib inline\n!pip install x\nx = 1",
        "print 'two'",
        "灯 = '亮'\nprint(f'{灯}')",
    ],
    "json": ['{"a": [1, null]}', '{"a": 1}\n{"a": 2}', '"灯": {"亮": true}', '{"a": 1 // one\n}', "[]"],
    "yaml": ["a: 1\n---\n- 灯\n- {b: c}", "a: &x [1]\nb: *x"],
    "toml": ['[a]\nb = "灯"'],
    "xml": ["<?xml version='1.0'?>\n<a><b/>灯</a>", "<a/>\n<a/>", "<p>&nbsp;</p>", "<!DOCTYPE a><a/>"],
    "sql": [
        "SELECT a, COUNT(*) FROM t GROUP BY 1; DELETE FROM t WHERE a = '灯'",
        "SELECT TOP 5 [a b] FROM t",
        "SELECT `a` FROM t LIMIT 1",
        "CREATE PROCEDURE p() BEGIN SELECT 1; END",
    ],
    "js": ["const f = async (x) => { await x?.y; return <b>灯</b> }"],
    "ts": ["const f = <T,>(x: T): T => x;\ninterface A { b?: string }", "const g = () => <A b={c}>灯</A>"],
    "java": ["int f(int x) { return x; }", 'class A { void f() { System.out.println("灯"); } }'],
    "go": ["package a\n\nfunc f() (int, error) { return 1, nil }", "x := []int{1, 2}"],
    "rust": ["#[derive(Debug)]\nstruct A<'a> { b: &'a str }", "x.iter().map(|a| a + 1).sum::<i32>()"],
    "bash": ['for f in *.txt; do echo "$f" | tee -a log; done', "cat <<EOF\n灯\nEOF"],
}
BROKEN = {
    "python": ("x = 1\nif x:\nprint(x)", 3),
    "json": ('{"a": 1,\n "b": }', 2),
    "yaml": ("a: 1\n b: 2", 2),
    "toml": ("a = 1\nb 2", 2),
    "xml": ("<a>\n<b></a>", 2),
    "sql": ("SELECT a FROM t\nWHERE (a = 1", 2),
    "js": ("let a = 1;\nlet b = ;", 2),
    "ts": ("let a: string = 'x';\nlet b: = 1;", 2),
    "java": ("class A {\n  void f( { }\n}", 2),
    "go": ("package a\nfunc f( {}", 2),
    "rust": ("fn f() {\n    let = 1;\n}", 2),
    "bash": ("a=1\nif [ $a ]; then echo b", 2),
}


@pytest.mark.parametrize(("language", "text"), [(name, text) for name, texts in WHOLE.items() for text in texts])
def test_code_as_people_write_it_has_no_fault(language: str, text: str) -> None:
    assert PARSERS[language](text) is None


@pytest.mark.parametrize("language", BROKEN)
def test_a_fault_is_found_in_its_line(language: str) -> None:
    text, line = BROKEN[language]
    fault = PARSERS[language](text)
    assert isinstance(fault, Fault)
    assert fault.line == line
    assert fault.said


def test_every_parser_has_a_whole_and_a_broken_text() -> None:
    assert {PARSERS[name] for name in WHOLE} == {PARSERS[name] for name in BROKEN} == set(PARSERS.values())


HOSTILE = """
from tasks.gate.rows.parsers import PARSERS, bounded
n = 1000
texts = ["-" * 9 * n, "not " * n + "1", "a" + ".b" * 4 * n, "a" + "()" * 4 * n, "+".join("1" * 4 * n), "lambda:" * n,
         "<" * 400, "a<" * 400, "<a>" * 100, "if a:\\n" * n, "- " * 4 * n, "a." * 4 * n + "b=1", "\\"" * 4 * n,
         "&a [*a, " * 50, "else if(a)b;" * 1500, "\\0" * n, "\\ud800", "case when 1 then " * n, "$(" * 50, "`" * n,
         "<!DOCTYPE a [<!ENTITY b 'cc'>]><a>&b;</a>", "a: &a [x]\\n" + "b: [*a, *a]\\n" * 500]
for text in texts + ["(" * 60 + ")" * 60, "[" * 60, "{" * 60]:
    assert bounded(text), text[:20]
    for parser in set(PARSERS.values()):
        parser(text)
print("unharmed")
"""


def test_no_text_that_is_let_in_harms_a_parser() -> None:
    done = subprocess.run([sys.executable, "-c", HOSTILE], capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.returncode) == ("unharmed\n", 0), done.stderr


def test_what_nobody_writes_is_not_let_in() -> None:
    assert bounded("(" * DEEPEST)
    for text in ("(" * (DEEPEST + 1), "[{" * DEEPEST, "<" * 2000, "x" * (MOST_CHARACTERS + 1)):
        assert not bounded(text)


def test_the_parsers_build_and_run_nothing(tmp_path: Path) -> None:
    assert PARSERS["python"](f"open({str(tmp_path / 'made')!r}, 'w')") is None
    assert PARSERS["yaml"]("a: !!python/object/apply:os.system ['false']") is None
    assert not list(tmp_path.iterdir())


def test_blocks_are_found_with_their_language_and_the_prose_before_them() -> None:
    text = "First:\n\n```Python title='a'\nx = 1\n```\n- item\n  ~~~js\n  let a;\n  ```\n  ~~~\n"
    text += "```\nplain\n```\n```py\nopen"
    assert blocks(text) == [
        Block("python", "x = 1", "First:"),
        Block("js", "let a;\n```", "- item"),
        Block("", "plain", ""),
    ]


def test_a_longer_fence_holds_a_shorter_one() -> None:
    assert blocks("````md\n```py\n(\n```\n````") == [Block("md", "```py\n(\n```", "")]


def test_a_parser_that_stumbles_over_broken_sql_stops_no_run() -> None:
    """sqlglot raises an error of its own making on this: a bracket of NOW() is missing."""
    broken = "SELECT a FROM t JOIN u ON t.id = u.id AND u.d >= DATE_SUB(NOW(, INTERVAL 3 MONTH)\nGROUP BY a;"
    assert PARSERS["sql"](broken) is not None
