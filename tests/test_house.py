"""The house is as CONTRIBUTING.md draws it: rooms, and limits of files and functions with their few exceptions."""

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
HOUSES = ("opir", "app", "benchmarks")
MOST_LINES, MOST_FUNCTION_LINES, MOST_PARAMETERS = 320, 60, 8

EXCEPTIONS = {
    ("opir/cli/commands.py", "restore"): "each option of the command is a parameter, which typer reads",
}
"""Functions that are longer or take more, each with its reason."""


def _drawn_rooms() -> set[str]:
    """Return the folders of the tree, as paths."""
    tree = re.search(r"```text\n(opir/.*?)```", TEXT, re.DOTALL)
    assert tree is not None, "CONTRIBUTING.md opens with the tree of rooms"
    above: list[str] = []
    rooms = set()
    for line in tree[1].splitlines():
        name = line.split()[0]
        depth = (len(line) - len(line.lstrip())) // 2
        above[depth:] = [name.rstrip("/")]
        assert len(line.split()) > 1, f"{name} has no line that says what it is"
        rooms.add("/".join(above))
    return rooms


def _files(*houses: str) -> Iterator[Path]:
    for house in houses:
        yield from sorted(path for path in (ROOT / house).rglob("*.py") if "__pycache__" not in path.parts)


def test_the_tree_names_every_room() -> None:
    there = {str(path.parent.relative_to(ROOT)) for path in _files(*HOUSES)}
    assert _drawn_rooms() == there


def test_what_the_walks_name_is_there() -> None:
    walks = TEXT[TEXT.index("## Three walks") : TEXT.index("## Every day")]
    named = re.findall(r"`((?:opir|app)/[\w/.]*)`", walks)
    assert len(named) > 20
    assert not [path for path in named if not (ROOT / path).exists()]
    for walk in walks.split("\n**")[1:]:
        assert len(re.findall(r"^\d+\. ", walk, re.MULTILINE)) == 10


@pytest.mark.parametrize("house", HOUSES)
def test_the_tables_name_files_that_are_there(house: str) -> None:
    """A name in a row of a table is a file of that room."""
    table = re.search(rf"\| `{house}/`.*?\n\n", TEXT, re.DOTALL)
    assert table is not None
    for row in table[0].strip().splitlines()[2:]:
        rooms, said = row.split("|")[1:3]
        room = rooms.strip(" `")
        folder = ROOT / house / room if room.endswith("/") else ROOT / house
        for name in re.findall(r"`(\w+\.(?:py|css|sh))`", said if room.endswith("/") else rooms):
            assert list(folder.rglob(name)), f"{house}/{room} has no {name}"


def test_no_files_import_each_other_in_a_circle() -> None:
    """Imports for type checkers alone and those inside functions count too."""
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in _files(*HOUSES)}
    imports: dict[str, set[str]] = {}
    for name, path in modules.items():
        named = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                named |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
        imports[name] = {module for module in named if module in modules}
    TopologicalSorter(imports).prepare()  # raises CycleError, which names a circle


def test_no_room_has_too_many_entries() -> None:
    assert len([path for path in (ROOT / "app").iterdir() if path.is_dir() and path.name != "__pycache__"]) <= 8
    alone = {path.name for path in (ROOT / "opir").glob("*.py")} - {"__init__.py", "__main__.py"}
    assert alone == {"config.py", "devices.py", "errors.py", "files.py", "tasks.py"}


def test_files_and_functions_are_short() -> None:
    long = []
    exceptions = set()
    for path in _files(*HOUSES, "tests"):
        name, text = str(path.relative_to(ROOT)), path.read_text()
        if len(text.splitlines()) > MOST_LINES:
            long.append(f"{name}: {len(text.splitlines())} lines")
        for function in ast.walk(ast.parse(text)):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            lines, parameters = _size(function)
            if lines <= MOST_FUNCTION_LINES and parameters <= MOST_PARAMETERS:
                continue
            if (name, function.name) in EXCEPTIONS:
                exceptions.add((name, function.name))
            else:
                long.append(f"{name} {function.name}: {lines} lines, {parameters} parameters")
    assert not long, "\n".join(long)
    assert exceptions == set(EXCEPTIONS), "an exception that is no longer needed goes"


def _size(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[int, int]:
    """Return the lines of a function without its docstring, and its parameters without self."""
    assert function.end_lineno is not None
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and first.end_lineno is not None:
        lines -= first.end_lineno - first.lineno + 1
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return lines, len([one for one in arguments if one.arg not in ("self", "cls")])
