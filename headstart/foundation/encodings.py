"""Guesses the code page of names that don't declare one, as in zip archives and tables written on Windows."""

import codecs
import itertools
import math
import re
import unicodedata
from collections.abc import Sequence

# OEM code pages, which Windows writes into zip archives, then ANSI ones, which other archivers and spreadsheets
# use. Of equally likely ones the first counts: 437 is what the zip format itself says.
OEM = ("cp437", "cp850", "cp852", "cp866", "cp737", "cp857", "cp862", "cp775")
ANSI = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874")
CJK = ("gbk", "cp932", "cp949", "big5")

# The characters in everyday use: those of a first level, which the standards put in front, in code points of
# the encoding. GB 2312 rows 16–55; JIS X 0208 rows 16–47 and kana; KS X 1001 Hangul rows 16–40; Big5 level 1.
_COMMON = {
    "gbk": ((0xB0A1, 0xD7F9),),
    "cp932": ((0x829F, 0x8396), (0x889F, 0x9872)),
    "cp949": ((0xB0A1, 0xC8FE),),
    "big5": ((0xA440, 0xC67E),),
}
# Natural logarithms of how unlikely things are. A letter of a single-byte page is one of some 64, an accented
# Latin one among plain ones one of some 20; a character of a double-byte page is one of its everyday ones.
_LETTER = math.log(64)
_ACCENTED = math.log(20)
_EVERYDAY = {"gbk": math.log(3755), "cp932": math.log(2965 + 169), "cp949": math.log(2350), "big5": math.log(5401)}
_RARE = 6.0
_NO_LETTER = 6.0
_ODD_WORD = 4.0
# Handicaps of code pages that are rarer in archives than those without one here.
_SELDOM = {"cp949": 2.0, "big5": 1.0, "cp932": 0.5, "cp775": 3.0, "cp1257": 3.0, "cp862": 1.0, "cp1255": 1.0}
_WORD = re.compile(r"[^\W\d_]+")


def is_text_encoding(name: str) -> bool:
    """Whether Python knows a text encoding of this name."""
    try:
        codecs.lookup(name)
        return isinstance(b"a".decode(name), str)
    except (LookupError, UnicodeError, TypeError, AssertionError):
        return False


def guess(texts: Sequence[bytes], candidates: Sequence[str] = (*OEM, *ANSI, *CJK)) -> str:
    """Return the encoding in which ``texts`` are likeliest words of a language.

    Bayes's rule with coarse likelihoods: of a word, all letters are of one script, small letters don't precede
    capitals, Latin has more plain letters than accented ones, and the characters of Chinese, Japanese and Korean
    are those in everyday use. This is a guess: two characters of Chinese may be Korean just as well.

    Args:
        texts: different texts of one origin, at least one of which has bytes beyond ASCII.
        candidates: encodings; the first of the likeliest wins.
    """
    costs = {name: cost for name in candidates if (cost := _cost(texts, name)) is not None}
    return min(costs, key=lambda name: costs[name]) if costs else candidates[0]


def _cost(texts: Sequence[bytes], name: str) -> float | None:
    """How unlikely the texts are in an encoding, as a logarithm; None if they don't decode."""
    cost = _SELDOM.get(name, 0.0)
    for text in texts:
        try:
            decoded = text.decode(name)
        except UnicodeDecodeError:
            return None
        # Vowel signs of Thai, Arabic and Hebrew are marks, which belong to words.
        plain = "".join(character for character in decoded if not unicodedata.category(character).startswith("M"))
        cost += sum(_of_character(character, name) for character in decoded if not character.isascii())
        cost += sum(_of_word(word) for word in _WORD.findall(plain))
    return cost


def _of_character(character: str, name: str) -> float:
    """How unlikely a character beyond ASCII is."""
    category = unicodedata.category(character)
    if category[0] not in "LM" or "HALFWIDTH" in unicodedata.name(character, ""):
        return _LETTER + _NO_LETTER
    if name not in _COMMON:
        return _ACCENTED if _script(character) == "LATIN" else _LETTER
    code = int.from_bytes(character.encode(name), "big")
    everyday = any(first <= code <= last for first, last in _COMMON[name])
    return _EVERYDAY[name] + (0.0 if everyday else _RARE)


def _of_word(word: str) -> float:
    """How unlikely these letters are side by side."""
    foreign = [letter for letter in word if not letter.isascii()]
    if not foreign:
        return 0.0
    mixed = len({_script(letter) for letter in word}) > 1
    accents = all(_script(letter) == "LATIN" for letter in foreign) and 2 * len(foreign) > len(word)
    broken = any(first.islower() and then.isupper() for first, then in itertools.pairwise(word))
    shouted = len(word) > 1 and word.isupper()
    return _ODD_WORD * len(foreign) * (mixed + accents) + _ODD_WORD * (broken + shouted)


def _script(character: str) -> str:
    """The first word of a character's name: LATIN, CYRILLIC, GREEK, CJK, HANGUL; kana go with CJK."""
    word = unicodedata.name(character, "?").partition(" ")[0]
    return "CJK" if word in ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "CJK") else word
