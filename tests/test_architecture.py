"""The rules of the house, read off the source: floors, doors, sizes, clocks, and imports without effects."""

import ast
import statistics
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import leadlift

ROOT = Path(leadlift.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# From the lowest floor to the highest: a file imports from its own floor or from lower ones.
FLOORS = [
    "terms",
    "exceptions",
    "config",
    "data",
    "engines",
    "features",
    "learning",
    "insight",
    "serving",
    "lifecycle",
    "cli",
]

# Dependency -> the only places that may import it.
DOORS = {
    "duckdb": ("engines",),
    "fairlearn": ("insight.fairness",),
    "jinja2": ("insight",),
    "lightgbm": ("learning.candidates",),
    "matplotlib": ("insight",),
    "mlflow": ("lifecycle.tracking",),
    "numba": ("learning.pattern_kernels",),
    "optuna": ("learning.tuning",),
    "pyspark": ("engines", "serving.part_tasks", "serving.spark_job"),
    "rich": ("cli",),
    "shap": ("insight",),
    "typer": ("cli",),
    "vaderSentiment": ("insight.voice_of_lost.sentiment",),
}

# What costs more to import than numpy is imported where it is used.
SLOW_TO_IMPORT = {
    "duckdb",
    "fairlearn",
    "lightgbm",
    "matplotlib",
    "mlflow",
    "numba",
    "optuna",
    "pandas",
    "polars",
    "pyspark",
}
SLOW_TO_IMPORT |= {"shap"}

CLOCKS = {"now", "utcnow", "today"}

MAX_FILE_LINES = 450
MAX_FUNCTION_LINES = 60
MAX_LINES_OF_NINE_IN_TEN = 30
MAX_MEDIAN_LINES = 10


def name_of(path):
    """Dotted name below the package: ``learning.scorer``; a package's own file bears its name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_in(nodes):
    """Full names imported by import statements among `nodes`."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_for_types_only(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def nodes_at_import(tree):
    """Statements that run when the module is imported: neither in functions nor for type checkers."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or is_for_types_only(node):
            continue
        yield node
        waiting += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]


def own_imports(nodes):
    """Modules of the package that `nodes` import, as dotted names below it."""
    known = {name_of(path) for path in FILES}
    for name in imports_in(nodes):
        top, _, below = name.partition(".")
        if top == "leadlift" and below:
            yield below if below in known else below.rpartition(".")[0]


def floor(name):
    return FLOORS.index(name.partition(".")[0])


def functions():
    for path in FILES:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name_of(path)}:{node.name}", node


def lines_without_docstring(node):
    lines = node.end_lineno - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        lines -= first.end_lineno - first.lineno + 1
    return lines


# Imports


def test_every_file_stands_on_a_floor():
    others = {name_of(path).partition(".")[0] for path in FILES} - set(FLOORS)
    assert others <= {""}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_imports_from_its_own_floor_or_lower_ones(path):
    name = name_of(path)
    if not name:
        return  # the package itself names what is public, wherever it stands
    above = [used for used in own_imports(ast.walk(parsed(path))) if used and floor(used) > floor(name)]
    assert above == []


def test_no_file_imports_itself_through_others():
    uses = {name_of(path): set(own_imports(nodes_at_import(parsed(path)))) for path in FILES}
    done = set()

    def visit(name, trail):
        assert name not in trail, f"circle: {' -> '.join([*trail, name])}"
        if name not in done:
            for used in uses.get(name, ()):
                visit(used, [*trail, name])
            done.add(name)

    for name in uses:
        visit(name, [])


@pytest.mark.parametrize("dependency", sorted(DOORS))
def test_a_dependency_has_one_door(dependency):
    doors = DOORS[dependency]
    for path in FILES:
        used = {name.partition(".")[0] for name in imports_in(ast.walk(parsed(path)))}
        if dependency in used:
            name = name_of(path)
            assert any(name == door or name.startswith(f"{door}.") for door in doors), name


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_what_is_slow_to_import_is_imported_where_it_is_used(path):
    used = {name.partition(".")[0] for name in imports_in(nodes_at_import(parsed(path)))}
    assert used & SLOW_TO_IMPORT == set()


def test_importing_the_package_loads_nothing_heavy():
    heavy = {"lightgbm", "mlflow", "numpy", "pandas", "pyarrow", "scipy", "shap", "sklearn", "typer"}
    code = f"import sys, leadlift; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_every_public_name_is_found_and_says_what_it_is_for():
    for name in leadlift.__all__:
        assert getattr(leadlift, name).__doc__, name
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = leadlift.no_such_name


# What nobody does


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nobody_reads_the_clock_or_prints_but_the_command_line(path):
    if name_of(path).partition(".")[0] == "cli":
        return
    calls = [node.func for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)]
    clocks = [ast.unparse(func) for func in calls if isinstance(func, ast.Attribute) and func.attr in CLOCKS]
    prints = [func.id for func in calls if isinstance(func, ast.Name) and func.id == "print"]
    modules = {name.partition(".")[0] for name in imports_in(ast.walk(parsed(path)))}
    assert (clocks, prints, modules & {"time"}) == ([], [], set())


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_is_pickled_or_evaluated(path):
    modules = {name.partition(".")[0] for name in imports_in(ast.walk(parsed(path)))}
    calls = {ast.unparse(node.func) for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)}
    assert modules & {"pickle", "cloudpickle", "marshal"} == set()
    assert calls & {"eval", "exec", "joblib.load"} == set()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_randomness_is_seeded_by_a_parameter(path):
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert not (called.endswith("default_rng") and not node.args), f"line {node.lineno}: no seed"
            assert not called.startswith("random."), f"line {node.lineno}: global state"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_error_is_caught_whatever_it_is(path):
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ExceptHandler):
            caught = "" if node.type is None else ast.unparse(node.type)
            assert caught not in {"", "Exception", "BaseException"}, f"line {node.lineno}"


# Documentation and size


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_what_is_public_says_what_it_is_for(path):
    tree = parsed(path)
    assert ast.get_docstring(tree), "the module has no docstring"
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    for scope in [tree, *[node for node in classes if not node.name.startswith("_")]]:
        for node in scope.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{node.name} has no docstring"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_fits_in_the_head(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES


def test_functions_are_short():
    lengths = {name: lines_without_docstring(node) for name, node in functions()}
    too_long = {name: lines for name, lines in lengths.items() if lines > MAX_FUNCTION_LINES}
    assert too_long == {}
    assert statistics.median(lengths.values()) <= MAX_MEDIAN_LINES
    longer = [name for name, lines in lengths.items() if lines > MAX_LINES_OF_NINE_IN_TEN]
    assert len(longer) <= len(lengths) / 10, longer
