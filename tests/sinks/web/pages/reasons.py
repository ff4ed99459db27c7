"""Every stable word that a status, a gap or an event can have: gathered from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from string import Formatter

from smart_meter_reader.codecs.p1.garbage import EXPLANATIONS
from smart_meter_reader.codecs.sml.garbage import EXPLANATIONS as OF_SML
from smart_meter_reader.messages import METER_REPORTS
from tests.test_architecture import MODULES, PACKAGE, nodes_of, raised_words

_ROOMS = ("meters/", "codecs/", "transport/", "recordings/", "guard/", "network/", "pipeline/", "rooms.py")
_BASES = {"ExplainedError"}
# What a person asks of a command, or what only a program is told.
_NO_STATUS = {"forbidden_command", "already_run"}


def reasons() -> set[str]:
    """The words of errors that become a status, and those that are written as one."""
    kinds = _explained()
    raised = {
        word
        for word, kind, place in raised_words()
        if kind in kinds and place.startswith(_ROOMS) and " " not in word
    }
    return (raised | set(_written()) | EXPLANATIONS.keys() | OF_SML.keys()) - _NO_STATUS


def refusals() -> dict[str, set[str]]:
    """The kinds of errors that pages tell in their language, and the facts of each."""
    kinds = _explained({"WordedError"})
    found: dict[str, set[str]] = {}
    for path in MODULES:
        for node in nodes_of(path):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
                told = [part.value for part in node.args if isinstance(part, ast.Constant)]
                # Of some classes the reason comes before.
                kind, sentence = str(told[-2]), str(told[-1])
                facts = {word.arg for word in node.keywords if word.arg}
                assert {name for _, name, _, _ in Formatter().parse(sentence) if name} == facts, kind
                facts |= {"example"} if node.func.id == "PriceMessageError" else set()
                assert found.setdefault(kind, facts) == facts, kind
    return found


def history_troubles() -> set[str]:
    """The words of what can be wrong with a history or with a file made of it."""
    kinds = _explained({"HistoryError"})
    return {
        word
        for word, kind, place in raised_words()
        if (
            kind in kinds
            and place.startswith(("history/questions", "history/storage/connecting", "sinks/web"))
        )
        or (kind == "SinkError" and place.startswith("sinks/web/downloads"))
    }


def _explained(roots: set[str] = _BASES) -> set[str]:
    bases: dict[str, str] = {}
    for path in MODULES:
        for node in nodes_of(path):
            if isinstance(node, ast.ClassDef) and node.bases:
                bases[node.name] = ast.unparse(node.bases[0])
    found = set(roots)
    while more := {name for name, base in bases.items() if base in found} - found:
        found |= more
    return found


def _written() -> Iterator[str]:
    """Of statuses that are written out, of replies, and of what the history tells."""
    for path in MODULES:
        place = str(path.relative_to(PACKAGE))
        for node in nodes_of(path):
            if isinstance(node, ast.Dict) and place.startswith(_ROOMS):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "reason":
                        yield from _text(value)
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Reply":
                for value in node.args[1:2]:
                    yield from _text(value)
    yield from ("implausible_value", "new_baseline", "meter_replaced", "internal_error", METER_REPORTS)
    yield from ("clock_not_set", "clock_behind", "clock_not_synchronised", "started", "stopped", "ended")
    yield from (
        "restart",
        "online",
        "offline",
        "alert",
        "imported",
        "time_zone_changed",
        "year_begins_changed",
    )


def _text(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
