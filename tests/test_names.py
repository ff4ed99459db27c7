"""A public name of a function means one thing: modules share it only where their rooms are of one shape."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.test_architecture import MODULES, PACKAGE, tree_of

pytestmark = pytest.mark.xdist_group("architecture")  # the same modules, parsed once


class Shape(NamedTuple):
    """Modules that have the same thing each of its own: why, in which (``*`` also stands for rooms), what."""

    why: str
    where: tuple[str, ...]
    names: str


SHAPES = (
    Shape(
        "each family's room: what its record names, and what its probe, its client and its emulator have",
        ("meters/*",),
        "comment head_probe sniff open_clock open_loggers described explain_silence sign_of_answer "
        "split_recording",
    ),
    Shape("a family's decode and emulate", ("meters/*/decode.py", "meters/*/emulate.py"), "dlms mbus p1 sml"),
    Shape("each family's, and what asks them all", ("meters/*", "cli/diagnose/*"), "redact"),
    Shape("who the meter is by its own words", ("codecs/*", "meters/*/identity.py"), "identity_of model_of"),
    Shape(
        "each codec: the same of its own frames, telegrams and codes",
        ("codecs/*",),
        "describe_capture describe_frame describe_telegram encode_frame encode_telegram malformed may_begin "
        "meaning_of measured_in quantity_of recognise",
    ),
    Shape(
        "both generations of loggers, and the way to them", ("meters/kmp/loggers/*",), "read_extent read_page"
    ),
    Shape(
        "what is kept as bytes, and read again; the command reads bytes too",
        ("guard/memory.py", "meters/backfill/memory.py", "sinks/spooled/rows.py", "cli/decode/command.py"),
        "encode decode",
    ),
    Shape(
        "of a client, and of what in it asks", ("pipeline/memories.py", "meters/backfill/memory.py"), "recall"
    ),
    Shape(
        "what is asked of a history: the answer, its page, its command",
        ("history/questions/*", "sinks/web/questions/*", "sinks/web/pages/*", "cli/history/*"),
        "bars costs events gaps heat peaks",
    ),
    Shape("a command in a group is called as it is typed", ("cli/*",), "check logs"),
    Shape(
        "a command, and what it runs or asks",
        ("cli/*", "history/storage/backups.py", "pipeline/health_answers.py"),
        "restore health",
    ),
    Shape("what doctor asks of each, and of all", ("*/examination.py",), "examine"),
    Shape("a destination, with its connection", ("sinks/*",), "connected"),
    Shape(
        "an error of PostgreSQL as ours", ("sinks/postgresql/failures.py", "writer/failures.py"), "explained"
    ),
    Shape("what Prometheus fetches", ("sinks/web/metrics.py", "writer/figures.py"), "exposition"),
    Shape("where a process begins", ("cli/__init__.py", "*__main__.py"), "main"),
)


def functions(modules: Iterable[Path]) -> dict[str, list[str]]:
    """The modules, below the package, in which each public function stands."""
    places: dict[str, list[str]] = {}
    for path in modules:
        for node in tree_of(path).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
                places.setdefault(node.name, []).append(str(path.relative_to(PACKAGE)))
    return places


def second_meanings(places: Mapping[str, Sequence[str]], shapes: Iterable[Shape]) -> list[str]:
    """Each name that several modules share, and no shape; or one of which a module is of another shape."""
    where = {name: shape.where for shape in shapes for name in shape.names.split()}
    return [
        f"{name} in {module}, and in {', '.join(each for each in modules if each != module)}"
        for name, modules in places.items()
        if len(modules) > 1
        for module in modules
        if not any(fnmatch(module, each) for each in where.get(name, ()))
    ]


def test_a_name_of_a_function_means_one_thing() -> None:
    # Another name for the newer one says what it does; or it is of a shape, which says why.
    assert second_meanings(functions(MODULES), SHAPES) == []


def test_each_shape_is_still_there() -> None:
    places = functions(MODULES)
    for shape in SHAPES:
        for name in shape.names.split():
            assert len(places.get(name, ())) > 1, f"{name} is no longer shared"
        there = [module for name in shape.names.split() for module in places[name]]
        for each in shape.where:
            assert any(fnmatch(module, each) for module in there), f"{shape.why}: nothing in {each}"
    named = [name for shape in SHAPES for name in shape.names.split()]
    assert len(named) == len(set(named))


@pytest.mark.parametrize(
    ("places", "found"),
    [
        ({"walk": ["codecs/iec62056_21/log/counters.py", "meters/kmp/loggers/walk.py"]}, 2),
        ({"sniff": ["meters/p1/decode.py", "meters/kmp/decode.py", "service/unit.py"]}, 1),
        ({"sniff": ["meters/p1/decode.py", "meters/kmp/decode.py"], "walk": ["history/places.py"]}, 0),
    ],
)
def test_a_second_meaning_is_found(places: dict[str, list[str]], found: int) -> None:
    assert len(second_meanings(places, SHAPES)) == found
