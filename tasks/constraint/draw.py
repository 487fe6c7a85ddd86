"""Draw constraints by dice: figures of a sensible size, and words that somebody has found for the prompt at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from tasks.constraint.bare import lengths
from tasks.constraint.counted import Counted
from tasks.constraint.data import Json
from tasks.constraint.ends import ClosesWith, OpensWith, Postscript, RepeatsPrompt, TwoResponses
from tasks.constraint.keywords import Forbidden, KeywordCount, Keywords
from tasks.constraint.kind import Constraint, named
from tasks.constraint.layout import Bold, Bullets, CodeBlock, Headings, Numbered, Table, Title
from tasks.constraint.length import Characters, Lines, Paragraphs, Sentences, Words
from tasks.constraint.letters import CapitalWords, LetterCount, LowerCase, UpperCase
from tasks.constraint.marks import ChineseQuotes, Emoji, FullWidth, InLanguage, NoCommas
from tasks.constraint.register import KINDS, contradict
from tasks.constraint.tokens import Placeholders, SpecialTokens
from tasks.constraint.verse import Meter, Rhyme

LENGTHS = (60, 80, 100, 120, 150, 200, 250, 300, 400)
RARE = "bfgkpvwy"
SHORT = 120
OF_LONG = (
    Words,
    Characters,
    Sentences,
    Paragraphs,
    Bullets,
    Numbered,
    Headings,
    Table,
    Title,
    Postscript,
    TwoResponses,
)
IN_VERSE = (Keywords, Forbidden, Title, Lines, Meter, Rhyme, LetterCount, Emoji)
IN_VERSE_ALONE = (Lines, Meter, Rhyme)
KEYS = {"en": ("title", "body", "audience", "summary"), "zh": ("标题", "正文", "读者", "摘要")}
MARKERS = {"en": ("P.S.", "PS:"), "zh": ("又及：", "附言：")}
LANGUAGES_OF_CODE = ("python", "javascript", "sql", "bash")


@dataclass(frozen=True, slots=True)
class Material:
    """The prompt and what fits it: words to use and to do without, how an answer might begin and end.

    `brief` is a prompt whose answer is a sentence or two: it has no room for parts, nor for the lengths that are drawn.
    """

    prompt: str
    language: str
    keywords: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    opening: str = ""
    closing: str = ""
    verse: bool = False
    code: bool = False
    brief: bool = False

    def suits(self, kind: type[Constraint]) -> bool:
        """Whether a kind may be asked of this prompt at all."""
        of_verse = kind in IN_VERSE if self.verse else kind not in IN_VERSE_ALONE
        if self.brief and kind in OF_LONG:
            return False
        return self.language in kind.languages and of_verse and (self.code or kind is not CodeBlock)


Draw = Callable[[Random, Material], Constraint | None]


def drawn(dice: Random, material: Material, many: int, taken: tuple[Constraint, ...] = ()) -> tuple[Constraint, ...]:
    """At most so many constraints of different kinds, none of which contradicts another or one that is `taken`."""
    chosen: list[Constraint] = []
    for name in dice.sample(sorted(KINDS), len(KINDS)):
        if len(chosen) == many:
            break
        one = DRAWS[name](dice, material) if material.suits(KINDS[name]) else None
        if one and not any(contradict(one, other) for other in (*chosen, *taken)):
            chosen.append(one)
    return tuple(chosen)


def bounded(kind: type[Counted], sizes: tuple[int, ...], forms: str = "at_least at_most exactly between") -> Draw:
    """A bound near one of these sizes."""

    def draw(dice: Random, _: Material) -> Constraint:
        size = dice.choice(sizes)
        match dice.choice(forms.split()):
            case "at_least":
                return kind(size)
            case "at_most":
                return kind(0, size)
            case "exactly":
                return kind(size, size)
            case _:
                return kind(size, size + max(1, size // 2))

    return draw


def plain(kind: type[Constraint]) -> Draw:
    """A kind without anything to draw."""
    return lambda dice, material: kind()


def keywords(dice: Random, material: Material) -> Constraint | None:
    there = material.keywords
    return Keywords(tuple(dice.sample(there, min(len(there), dice.randint(2, 3))))) if there else None


def keyword_count(dice: Random, material: Material) -> Constraint | None:
    return KeywordCount(dice.randint(2, 4), word=dice.choice(material.keywords)) if material.keywords else None


def forbidden(dice: Random, material: Material) -> Constraint | None:
    there = material.unwanted
    return Forbidden(tuple(dice.sample(there, min(len(there), dice.randint(1, 3))))) if there else None


def letter_count(dice: Random, material: Material) -> Constraint | None:
    """In English a rare letter; in Chinese a character of one of the keywords."""
    if material.language != "zh":
        return LetterCount(dice.choice((3, 5, 8)), letter=dice.choice(RARE))
    there = [c for word in material.keywords for c in word if c.isalpha()]
    return LetterCount(dice.randint(2, 4), letter=dice.choice(there)) if there else None


def bullets(dice: Random, material: Material) -> Constraint:
    many = dice.randint(3, 6)
    return Bullets(many, many if dice.random() < 0.5 else None, style=dice.choice("-*•"))


def json(dice: Random, material: Material) -> Constraint:
    return Json(KEYS["zh" if material.language == "zh" else "en"][: dice.randint(2, 4)])


def postscript(dice: Random, material: Material) -> Constraint:
    return Postscript(dice.choice(MARKERS["zh" if material.language == "zh" else "en"]))


def repeats(dice: Random, material: Material) -> Constraint | None:
    """Only what is asked in one short line can be repeated, and no length that may yet be edited."""
    short = "\n" not in material.prompt and len(material.prompt) <= SHORT and not lengths(material.prompt)
    return RepeatsPrompt(material.prompt) if short else None


def emoji(dice: Random, material: Material) -> Constraint | None:
    return Emoji(0, 0) if dice.random() < 0.3 else bounded(Emoji, (2, 3, 4), "at_least exactly")(dice, material)


DRAWS: Mapping[str, Draw] = {
    named(kind): draw
    for kind, draw in {
        Words: bounded(Words, LENGTHS, "at_least at_most between"),
        Characters: bounded(Characters, LENGTHS, "at_most between"),
        Sentences: bounded(Sentences, (3, 4, 5, 6, 8)),
        Paragraphs: bounded(Paragraphs, (2, 3, 4), "at_least exactly"),
        Lines: bounded(Lines, (4, 8), "exactly"),
        Keywords: keywords,
        KeywordCount: keyword_count,
        Forbidden: forbidden,
        LetterCount: letter_count,
        CapitalWords: bounded(CapitalWords, (2, 3, 5), "at_least at_most exactly"),
        UpperCase: plain(UpperCase),
        LowerCase: plain(LowerCase),
        Bullets: bullets,
        Numbered: bounded(Numbered, (3, 4, 5), "at_least exactly"),
        Headings: bounded(Headings, (2, 3, 4), "at_least exactly"),
        Bold: bounded(Bold, (2, 3, 4), "at_least exactly"),
        Title: plain(Title),
        Table: lambda dice, material: Table(dice.randint(2, 4)),
        CodeBlock: lambda dice, material: CodeBlock(dice.choice(LANGUAGES_OF_CODE)),
        Json: json,
        OpensWith: lambda dice, material: OpensWith(material.opening) if material.opening else None,
        ClosesWith: lambda dice, material: ClosesWith(material.closing) if material.closing else None,
        Postscript: postscript,
        RepeatsPrompt: repeats,
        TwoResponses: plain(TwoResponses),
        NoCommas: plain(NoCommas),
        FullWidth: plain(FullWidth),
        ChineseQuotes: lambda dice, material: ChineseQuotes(dice.choice(("“”", "「」"))),
        Emoji: emoji,
        InLanguage: lambda dice, material: InLanguage("en" if material.language == "zh" else "zh"),
        SpecialTokens: bounded(SpecialTokens, (1, 2, 3), "exactly"),
        Placeholders: bounded(Placeholders, (1, 2, 3), "at_least exactly"),
        Meter: lambda dice, material: Meter(dice.choice((5, 7))),
        Rhyme: plain(Rhyme),
    }.items()
}
