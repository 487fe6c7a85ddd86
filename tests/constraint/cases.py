"""For every kind of constraint, texts that keep it and texts that break it, in each language that it is asked in."""

from __future__ import annotations

from tasks.constraint.data import Json
from tasks.constraint.ends import ClosesWith, OpensWith, Postscript, RepeatsPrompt, TwoResponses
from tasks.constraint.keywords import Forbidden, KeywordCount, Keywords
from tasks.constraint.kind import Constraint
from tasks.constraint.layout import Bold, Bullets, CodeBlock, Headings, Numbered, Table, Title
from tasks.constraint.length import Characters, Lines, Paragraphs, Sentences, Words
from tasks.constraint.letters import CapitalWords, LetterCount, LowerCase, UpperCase
from tasks.constraint.marks import ChineseQuotes, Emoji, FullWidth, InLanguage, NoCommas
from tasks.constraint.tokens import Placeholders, SpecialTokens
from tasks.constraint.verse import Meter, Rhyme

Case = tuple[Constraint, list[str], list[str]]  # what is asked, what keeps it, what breaks it
TABLE = "| 名 | 数 |\n|---|:-:|\n| a | 1 |"
MOON = "床前明月光，\n疑是地上霜。\n举头望明月，\n低头思故乡。"
ASKED = "写一封信"

EN: list[Case] = [
    (Words(3), ["one two three", "don't re-do 3.14"], ["", "one two", "- # one ! two"]),
    (Words(0, 3), ["", "one, two; three."], ["one two three four"]),
    (Words(2, 2), ["— one — two —"], ["one", "a b c"]),
    (Words(2, 3), ["a b", "a b c"], ["a", "a b c d"]),
    (Characters(5, 5), ["a b c d e", "a,b.c"], ["abcd", "abcdef"]),
    (Sentences(2, 2), ["One. Two!", "It is 3.5 m. Good?", 'He said "no." She left', "One\ntwo"], ["One.", "A. B. C."]),
    (Paragraphs(2, 2), ["one\n\ntwo", "one\n \n\n\ntwo\nstill two"], ["one\ntwo", "a\n\nb\n\nc", ""]),
    (Lines(2, 2), ["a\n\nb\n"], ["a", "a\nb\nc"]),
    (Keywords(("rain", "old station")), ["RAIN at the Old Station."], ["training at the old station", "rain"]),
    (KeywordCount(2, word="rain"), ["rain, Rain"], ["rain", "rainy train rain"]),
    (KeywordCount(0, 0, word="rain"), ["", "training"], ["Rain."]),
    (Forbidden(("c++", "rain")), ["c training"], ["it is C++ here", "some rain"]),
    (LetterCount(2, letter="k"), ["Kick"], ["cake", ""]),
    (CapitalWords(1, 1), ["do it NOW", "a USA. I"], ["do it now", "DO IT"]),
    (UpperCase(), ["ALL OF IT 1!"], ["Not all", "12", ""]),
    (LowerCase(), ["all of it 1!"], ["Not all", "12", ""]),
    (
        Bullets(2, 2, style="-"),
        ["- a\n- b", "text\n  - a\n- b\n* c"],
        ["- a", "* a\n* b", "-a\n-b", "```\n- a\n- b\n```"],
    ),
    (Numbered(2), ["1. a\n2. b", "1) a\n2) b\n3) c"], ["1. a", "1.5 m\n2.5 m", ""]),
    (Headings(1, 1), ["# A\ntext"], ["#tag", "# A\n## B", "```\n# a\n```"]),
    (Bold(2), ["**a** and **b c**"], ["**a**", "a ** b ** c ** d", "2**3"]),
    (Title(), ["# A tale\n\nOnce", "\n# A"], ["Once\n# A", "## A", "#A"]),
    (Table(2), [TABLE, "a | b\n--|--\n1 | 2"], ["| a | b |", "---", "| a | b | c |\n|---|---|---|"]),
    (CodeBlock("python"), ["See\n```Python\nx = 1\n```"], ["```\nx\n```", "```sql\nx\n```", "```python\nx"]),
    (
        Json(("title",)),
        ['{"title": 1, "x": []}', ' {"title": {}}\n'],
        ["{}", '["title"]', '```json\n{"title": 1}\n```', "title"],
    ),
    (Json(), ["{}"], ["[]", "[" * 100_000, "NaN?"]),
    (OpensWith("This morning"), ["This  morning I", "this morning"], ["I, this morning", ""]),
    (ClosesWith("write soon."), ["Do write soon!", "Write soon"], ["write soon, Ann", ""]),
    (Postscript("P.S."), ["Hi\n\nP.S. Bring cake.", "Hi\np.s. cake"], ["P.S. Hi\n\nBye", ""]),
    (
        RepeatsPrompt("Write it."),
        ["Write it.\nDear Ann", "“Write it.”\n\nDear Ann"],
        ["Write it.", "“Write it.”", "Dear", ""],
    ),
    (TwoResponses(), ["one\n******\ntwo"], ["one", "one\n******\none", "a\n******\nb\n******\nc", "******"]),
    (NoCommas(), ["no pause"], ["a, b"]),
    (Emoji(2, 2), ["👍🏽 and 👩‍👩‍👧"], ["👍🏽", "© 2026 →"]),
    (Emoji(0, 0), ["© 2026 :)", ""], ["☀️", "🇨🇳"]),
    (InLanguage("en"), ["A plain English sentence about the sea and ships."], ["海上的船。", "123"]),
    (SpecialTokens(1, 1), ["so <<this>> is it"], ["<this>", "<<a>> <<b>>", "<<>>"]),
    (Placeholders(1), ["Dear [name],"], ["[name](http://x)", "![x](y)", "- [x] done", "[]"]),
]
ZH: list[Case] = [
    (Words(5, 5), ["今天天气好", "今天，天气——好！", "用 Go 写码啊"], ["今天天气", "今天天气很好"]),
    (Characters(6, 6), ["今天，天 气！"], ["今天天气", "今天，天气好！"]),
    (Sentences(2, 2), ["天晴了。走吧！", "他说：“走。”我不走。", "走吧\n好"], ["天晴了，走吧。", "走。走。走。"]),
    (Paragraphs(2, 2), ["一\n\n二", "一\n　\n二"], ["一\n二"]),
    (Lines(4, 4), [MOON], [MOON.replace("\n", ""), f"{MOON}\n又"]),
    (Keywords(("车站", "旧照片")), ["在老车站翻出旧照片"], ["在车站翻照片"]),
    (KeywordCount(1, 2, word="车站"), ["车站，车站"], ["车", "车站车站车站"]),
    (Forbidden(("友谊", "青春")), ["情谊"], ["友谊长存"]),
    (LetterCount(2, letter="春"), ["春眠不觉晓，春风"], ["春眠"]),
    (Bullets(2, style="•"), ["• 甲\n• 乙"], ["- 甲\n- 乙", "•甲"]),
    (Numbered(2, 2), ["1. 甲\n2. 乙", "1、甲\n2、乙"], ["一、甲\n二、乙", "1.5米\n2.5米"]),
    (Headings(2), ["## 甲\n文\n## 乙"], ["甲\n乙"]),
    (Bold(1, 1), ["这里**要紧**。"], ["这里要紧。"]),
    (Title(), ["《家书》\n正文", "# 家书\n正文"], ["读《家书》有感", "正文\n《家书》"]),
    (Table(2), [f"如下：\n\n{TABLE}"], ["名｜数"]),
    (CodeBlock("sql"), ["代码：\n```sql\nselect 1\n```"], ["`sql`"]),
    (Json(("标题", "正文")), ['{"标题": "a", "正文": "b"}'], ['{"标题": "a"}', "标题：a"]),
    (OpensWith("今天收拾屋子"), ["今天收拾屋子，翻出"], ["我今天收拾屋子"]),
    (ClosesWith("盼你回信"), ["……盼你回信。", "“盼你回信！”"], ["盼你回信，小明"]),
    (Postscript("又及："), ["正文\n\n又及：天凉加衣。", "正文\n又及:加衣"], ["又及：加衣。\n正文"]),
    (RepeatsPrompt(ASKED), [f"{ASKED}\n小明：你好", f"“{ASKED}”\n小明：你好"], [ASKED, f"「{ASKED}」", "小明：你好"]),
    (TwoResponses(), ["甲\n******\n乙"], ["甲\n***\n乙"]),
    (NoCommas(), ["不停地走。"], ["走，再走", "走、停", "走,停"]),
    (
        FullWidth(),
        ["走，再走。用 `a,b` 与 3.5。", "```\n甲,乙\n```", "二楼（东侧）有 f(x)。"],
        ["走,再走。", "到居委会(二楼)登记。", "走吧!", "好.", "注意:走"],
    ),
    (ChineseQuotes("「」"), ["他说「走」"], ["他说“走”", "他说走", '「甲」和"乙"']),
    (ChineseQuotes("“”"), ["他说“走”"], ["他说「走」"]),
    (Emoji(1), ["好👍🏽"], ["好"]),
    (Emoji(0, 0), ["好①"], ["好👍"]),
    (InLanguage("zh"), ["今天的天气真好，适合出门走走。"], ["Fine weather today."]),
    (SpecialTokens(1), ["记住<<要点>>"], ["记住《要点》"]),
    (Placeholders(2, 2), ["[姓名]住在[地址]"], ["[姓名]", "【姓名】住在【地址】"]),
    (
        Meter(5),
        [MOON, f"《静夜思》\n{MOON}", f"# 题\n{MOON}"],
        [MOON.replace("霜", ""), "床前明月光", "", "床前明月a，疑是地上霜"],
    ),
    (Meter(7), ["朝辞白帝彩云间，千里江陵一日还。"], [MOON]),
    (
        Rhyme(),
        [MOON, f"《静夜思》\n{MOON}", "床前明月光\n疑是地上霜"],
        [MOON.replace("乡", "国"), "明月光", "", "a\nb"],
    ),
]
CASES = [("en", *case) for case in EN] + [("zh", *case) for case in ZH]
TEXTS = sorted({t for _, _, keep, breaks in CASES for t in (*keep, *breaks)})
