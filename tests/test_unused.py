"""Nothing stands in the package that only tests use: each name of a module is read by the program itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

import pytest

from tests.test_architecture import MODULES, OURS, PACKAGE, nodes_of, tree_of

pytestmark = pytest.mark.xdist_group("architecture")  # the same modules, parsed once

ROOT = PACKAGE.parent
PROGRAMS = [
    path for room in ("benchmarks", "scripts", "packaging") for path in sorted((ROOT / room).rglob("*.py"))
]

# What is there for who uses a codec in a program of their own.
FOR_OTHERS = {
    f"{OURS}.codecs.kmp.message.encode_response",  # what a meter sends: the other way of ``decode_response``
}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def defined(path: Path) -> Iterator[tuple[str, ast.stmt]]:
    """The names that a module makes; not those of commands, which their decorators hand over."""
    for node in tree_of(path).body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                if not any(".command(" in ast.unparse(each) for each in node.decorator_list):
                    yield node.name, node
            case ast.Assign(targets):
                parts = (part for each in targets for part in ast.walk(each))
                yield from ((part.id, node) for part in parts if isinstance(part, ast.Name))
            case ast.AnnAssign(ast.Name(name)):
                yield name, node


def read_in(path: Path) -> Iterator[str]:
    """What a module reads of others, in full, and the ends of its import strings after the colon."""
    known: dict[str, str] = {}
    for node in nodes_of(path):
        if isinstance(node, ast.ImportFrom):
            known |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.Import):
            known |= {each.asname or each.name: each.name for each in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and ":" in node.value:
            yield ":" + node.value.rpartition(":")[2]
    for node in nodes_of(path):
        if isinstance(node, ast.Attribute) and (owner := ast.unparse(node.value)) in known:
            yield f"{known[owner]}.{node.attr}"
        elif isinstance(node, ast.Name) and node.id in known:
            yield known[node.id]


def read_where_it_stands(path: Path, name: str, made: ast.stmt) -> bool:
    return any(
        isinstance(node, ast.Name)
        and node.id == name
        and isinstance(node.ctx, ast.Load)
        and not made.lineno <= node.lineno <= (made.end_lineno or made.lineno)
        for node in nodes_of(path)
    )


def handed_on() -> dict[str, str]:
    """What the ``__init__`` of a room has from its modules for others, by the name that it has there."""
    return {
        f"{module_of(path)}.{each.name}": f"{node.module}.{each.name}"
        for path in MODULES
        if path.name == "__init__.py"
        for node in tree_of(path).body
        if isinstance(node, ast.ImportFrom)
        for each in node.names
    }


def unused(modules: Mapping[str, Path], read: Set[str]) -> list[str]:
    """What of modules, by their names, nobody reads."""
    return [
        f"{module}.{name}"
        for module, path in modules.items()
        for name, made in defined(path)
        if not {f"{module}.{name}", f":{name}"} & read
        and not name.startswith("__")
        and not read_where_it_stands(path, name, made)
    ]


def test_everything_is_used_by_the_program_itself() -> None:
    # What only tests need belongs to them; what nobody needs, to nobody.
    through = handed_on()
    read = {name for path in (*MODULES, *PROGRAMS) for name in read_in(path)}
    read |= {through[name] for name in read & through.keys()}
    assert set(unused({module_of(path): path for path in MODULES}, read)) == FOR_OTHERS


def test_what_only_tests_use_is_found(tmp_path: Path) -> None:
    path, other = tmp_path / "left.py", tmp_path / "other.py"
    path.write_text(
        "LEFT, READ = 1, 2\nNAMED = 3\n\n\ndef left() -> int:\n    return left() + READ\n", "utf-8"
    )
    other.write_text("from left import LEFT\nDRIVER = 'left:NAMED'\n", "utf-8")
    assert unused({"left": path}, {*read_in(other)}) == ["left.LEFT", "left.left"]
