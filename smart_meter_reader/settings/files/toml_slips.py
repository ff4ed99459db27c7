"""What was probably meant by one line that is no TOML: the slips of people who type settings."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from smart_meter_reader.settings.names import in_plain_letters

# What word processors, telephones and pages in the web put in the place of the keyboard's quotes.
_DOUBLE = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\uff02"
_SINGLE = "\u2018\u2019\u201a\u201b\u2032`\u00b4"
_QUOTES = str.maketrans({**dict.fromkeys(_DOUBLE, '"'), **dict.fromkeys(_SINGLE, "'")})
_TYPED = f"\"'{_DOUBLE}{_SINGLE}"
_BLANK = re.compile("[\u00a0\u2000-\u200a\u202f\u3000]")
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_KEY = re.compile(r"(?P<key>\"[\w.-]+\"|[^=:\"'#\[\]{}]+?)\s*(?P<between>:=|==|=>|->|=|:)(?P<value>.*)", re.S)
_NO_SIGN = re.compile(r"(?P<key>[A-Za-z][A-Za-z0-9_.]*)\s+(?P<value>[\w\"'/].*)", re.S)
_SECOND_KEY = re.compile(r"[,;\s]\s*[A-Za-z_][A-Za-z0-9_-]*\s*=(?!=)")
_WORDS: Mapping[str, str] = MappingProxyType(
    {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}
)
_LINES = "a line is the name of a table in [ ], such as [home.meters.heat], or KEY = VALUE"
_NOTHING = frozenset({"null", "none", "nil"})


@dataclass(slots=True)
class Slip:
    """Why a line is no TOML, in the order in which it was noticed, and what to write; "" when not known.

    The reasons quote nothing of the line: it may hold a secret.
    """

    reasons: list[str] = field(default_factory=list)
    line: str = ""

    def say(self, reason: str) -> None:
        if reason not in self.reasons:
            self.reasons.append(reason)


def is_toml(text: str) -> bool:
    """Whether ``text`` is right as it stands, alone."""
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def slip_in(line: str) -> Slip:
    """What is wrong with a line that is no TOML by itself. What it proposes to write is."""
    slip = Slip()
    text = _INVISIBLE.sub("", _BLANK.sub(" ", line)).strip()
    if text != _BLANK.sub("\0", line).strip():
        slip.say("there is a character that looks like a blank, or like nothing, and is neither")
    written = text if is_toml(text) else _line(text, slip)
    slip.line = written if written and is_toml(written) else ""
    return slip


def _line(text: str, slip: Slip) -> str:
    if text.startswith(("//", ";", "/*", "--", "<!--")):
        slip.say("a remark begins with #")
        return "# " + text.strip("/;*-<>! ")
    if not re.search(r"\w", text):
        slip.say(_LINES)
        return ""
    if text.startswith(("[", "{", "(", "<")) or re.fullmatch(r"[\w.\s-]+\]+", text):
        return _header(text, slip)
    found = _KEY.match(text) or _NO_SIGN.fullmatch(text)
    if found is None:
        slip.say(_LINES)
        return ""
    between = found.groupdict().get("between", "")
    if between == ":" and not found["value"].strip():
        slip.say(_LINES)
        return ""
    if between != "=":
        slip.say(f"= stands between a key and its value{f', not {between}' if between else ''}")
    key = _key(found["key"].strip('" '), slip)
    value, remark = _without_remark(found["value"].strip())
    value = _value(value, slip)
    return f"{key} = {value}{remark}" if key and value else ""


def _header(text: str, slip: Slip) -> str:
    name, closing, rest = text.partition("]")
    name = name if closing else name.partition("#")[0]
    rest = rest.strip("] ")
    if not (text.startswith("[") and closing) or text.startswith("[[") or text.count("]") > 1:
        slip.say("the name of a table stands in one [ and one ]")
    if rest and not rest.startswith("#"):
        slip.say("behind the name of a table nothing else stands in the line")
    name = name.strip("[]{}()<>:;,. ")
    parts = re.split(r"\s*[./\\:]\s*" if "." in name else r"\s*[/\\:]\s*|\s+", name)
    named = [part if _BARE.fullmatch(part) else _bare(part, "-") for part in parts]
    if named != parts:
        slip.say("a name has only the letters a-z, 0-9, _ and -")
    if not slip.reasons:
        slip.say("dots stand between the names of a table")
    return f"[{'.'.join(named)}]" if all(named) else ""


def _key(key: str, slip: Slip) -> str:
    if all(_BARE.fullmatch(part.strip()) for part in key.split(".")):
        return key
    slip.say("a key has only the letters a-z, 0-9, _ and -")
    return _bare(key, "_")


def _bare(name: str, instead: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", instead, in_plain_letters(name.strip())).strip(instead)


def _without_remark(value: str) -> tuple[str, str]:
    """The value and what stands behind it from # on; a # in quotes is no remark."""
    quote = ""
    for index, character in enumerate(value):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "#":
            return value[:index].rstrip(), f"  {value[index:]}"
    return value, ""


def _value(value: str, slip: Slip) -> str:
    """The value as TOML wants it; "" when that is not known."""
    if value.startswith("{"):
        slip.say("a table in { } stands in one line; better write its name in [ ], each key in its own line")
        return ""
    if value.endswith((",", ";")):
        slip.say("no comma and no semicolon stands behind a value")
        value = value.rstrip(",; ")
    if value[:1] in _DOUBLE + _SINGLE or value[-1:] in _DOUBLE + _SINGLE:
        if value:
            slip.say("these quotes are not those of the keyboard, \" and '")
        value = value.translate(_QUOTES)
    if not value:
        slip.say("nothing stands behind the =")
        return ""
    if is_toml(f"x = {value}"):
        return value
    second = _SECOND_KEY.search(value)
    if second and value[0] not in "{[":
        slip.say("each key has a line of its own")
        return _value(value[: second.start()].strip(), slip)
    for rule in (_word, _number, _list, _quoted):
        written = rule(value, slip)
        if written is not None:
            return written
    slip.say("a text stands in quotes")
    return _text(value)


def _word(value: str, slip: Slip) -> str | None:
    word = value.lower()
    if word in _NOTHING:
        slip.say("there is no such word; what is not to be set is left out, with its line")
        return ""
    if word in _WORDS:
        slip.say("it is true or false, in small letters")
    return _WORDS.get(word)


def _number(value: str, slip: Slip) -> str | None:
    if re.fullmatch(r"[+-]?[0-9]+,[0-9]+", value):
        slip.say("a number has a point, not a comma")
        return value.replace(",", ".")
    if re.fullmatch(r"0[0-9]+", value):
        slip.say("what begins with 0 stands in quotes")
        return _text(value)
    return None


def _list(value: str, slip: Slip) -> str | None:
    several = re.fullmatch(r"[\w.]+(?:\s*,\s*[\w.]+)+", value)
    if (value[0] not in "[({" and not several) or "=" in value:
        return None
    if value[0] != "[" or not value.endswith("]"):
        slip.say("a list begins with [ and ends with ]")
    inner = value.translate(_QUOTES).strip("[](){} ")
    items = re.findall(r"\"[^\"]*\"|'[^']*'|[^\s,;]+", inner)
    if any(not is_toml(f"x = {item}") for item in items):
        slip.say("the texts of a list stand in quotes")
    if not slip.reasons:
        slip.say("a comma stands between the values of a list")
    return f"[{', '.join(item if is_toml(f'x = {item}') else _text(item.strip(_TYPED)) for item in items)}]"


def _quoted(value: str, slip: Slip) -> str | None:
    """A text with something wrong about its quotes, or in them."""
    quote = value[0]
    if quote not in "\"'":
        if value[-1] not in "\"'":
            return None
        slip.say("a text has quotes on both sides")
        return _text(value[:-1])
    inner, closing, rest = value[1:].rpartition(quote)
    if not closing:
        slip.say("a text ends with the same quote with which it begins")
        return _text(value[1:].rstrip("\"'"))
    if rest:
        slip.say("behind a text in quotes nothing else stands in the line")
        return ""
    if "\\" in inner:
        slip.say("a text with \\ stands in ' and not in \"")
    else:
        slip.say("a text with \" in it stands in ', and one with ' in \"")
    return f"'{inner}'" if "'" not in inner else _text(inner)


def _text(content: str) -> str:
    # TOML's basic strings take JSON's escapes, and want one for DEL too.
    return json.dumps(content.strip(), ensure_ascii=False).replace("\x7f", "\\u007F")
