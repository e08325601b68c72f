r"""The escapes in texts and names of a drawing: `\U+5B97`, `\M+5D7DA`, `%%d`."""

from __future__ import annotations

import re

# By which code page the two bytes of `\M+n` are read.
_CODE_PAGES = {"1": "cp932", "2": "cp950", "3": "cp949", "4": "johab", "5": "gb18030"}
_ESCAPE = re.compile(r"\\U\+([0-9A-Fa-f]{4})|\\M\+([1-5])([0-9A-Fa-f]{4})")
_SIGNS = {"c": "Ø", "d": "°", "p": "±", "%": "%"}
_SIGN = re.compile(r"%%(?:([cdp%])|([uok])|(\d{3}))", re.IGNORECASE)
_HIGH, _LOW = range(0xD800, 0xDC00), range(0xDC00, 0xE000)


def unescaped(text: str) -> str:
    r"""Return a text or a name with the characters that are written as escapes; what is no character stays as it is.

    A character beyond 16 bits is written as two escapes, which belong together.

    >>> unescaped(r"\U+5B97\U+5730 \M+5D7DA\M+5B5D8")
    '宗地 宗地'
    >>> unescaped(r"\U+D840\U+DC0B")
    '𠀋'
    >>> unescaped(r"\U+D840 alone, \M+5FFFF")
    '\\U+D840 alone, \\M+5FFFF'
    """
    if "\\" not in text:
        return text
    return _joined(_ESCAPE.sub(_character, text))


def _character(found: re.Match[str]) -> str:
    if found[1] is not None:
        return chr(int(found[1], 16))
    code = bytes.fromhex(found[3])
    try:
        return code.decode(_CODE_PAGES[found[2]])
    except UnicodeDecodeError:
        return found[0]


def _joined(text: str) -> str:
    """Return halves of characters put together; one that is alone becomes its escape again, since no text may hold it."""
    if not any(_HIGH.start <= ord(letter) < _LOW.stop for letter in text):
        return text
    letters: list[str] = []
    place = 0
    while place < len(text):
        code = ord(text[place])
        following = ord(text[place + 1]) if place + 1 < len(text) else 0
        if code in _HIGH and following in _LOW:
            letters.append(chr(0x10000 + ((code - _HIGH.start) << 10) + following - _LOW.start))
            place += 1
        else:
            letters.append(f"\\U+{code:04X}" if code in _HIGH or code in _LOW else text[place])
        place += 1
    return "".join(letters)


def shown(text: str) -> str:
    """Return the text of a line (TEXT, ATTRIB) as it is drawn: `%%d` is a degree sign, `%%u` underlines and is no character.

    >>> shown("%%u45%%d30'%%u %%p0.05 %%065")
    "45°30' ±0.05 A"
    """
    return _SIGN.sub(_sign, unescaped(text)) if "%%" in text else unescaped(text)


def _sign(found: re.Match[str]) -> str:
    if found[1]:
        return _SIGNS[found[1].lower()]
    return "" if found[2] else chr(int(found[3]))
