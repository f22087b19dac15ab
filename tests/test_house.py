"""The house rules that a machine can check: one door for a status, a schema made by migrations, honest documents."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from contextlib import contextmanager, nullcontext
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import diagram
import postgres
import pytest
import typer
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hatchling.builders.wheel import WheelBuilder
from sqlalchemy import create_engine

import swarm_mcp
from swarm_mcp.cli.app import app
from swarm_mcp.config import Settings
from swarm_mcp.repository import migrate
from swarm_mcp.repository.tables import WORD_INDEXES, metadata
from swarm_mcp.server import schemas, toolbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from swarm_mcp.repository.database import Database

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "swarm_mcp"
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = "\n".join(
    [README, *(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").rglob("*.md")))]
)  # fmt: skip


@cache
def syntax() -> dict[str, ast.Module]:
    """Every module of the package as a tree, by its path below `swarm_mcp`."""
    return {
        path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in SOURCE.rglob("*.py")
    }


# --- one door for a status ------------------------------------------------------------------------------------------

STATUS_WRITERS = {
    "operations/moves.py:_set_status": "the door, behind the checks of move() and move_back()",
    "operations/placing.py": "a task that is being created has no status yet",
    "operations/placing.py:columns_of_new": "likewise",
    "operations/stating.py:_append": "the importers' door",
    "operations/stating.py:_columns": "likewise",
    "operations/answering.py:_line": "what the row of a list tells",
    "operations/completing.py:finish": "of an execution",
    "operations/restoring.py:_review_again": "of an execution",
    "operations/reviewing.py:_accept": "of an execution",
    "operations/reviewing.py:_fail": "of an execution",
    "repository/queue.py": "the claim's guarded statement, whose event moves.record_claim() writes",
    "repository/tasks.py:_counting": "of the tally",
    "repository/work.py": "of an execution",
    "repository/messages.py": "of a conversation",
}
"""Where a column called status is written, by module and function, and why that is no way past `moves.move()`."""


class StatusWriters(ast.NodeVisitor):
    """Finds the functions of a module that write a status, in any of the ways in which the code writes columns."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.place = [module]
        self.found: set[str] = set()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.place.append(f"{self.module}:{node.name}")
        self.generic_visit(node)
        self.place.pop()

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - what ast calls it

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.note(node.attr == "status" and isinstance(node.ctx, ast.Store))
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.note(says_status(node.slice) and isinstance(node.ctx, ast.Store))
        self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        # In the repository a dictionary binds the parameters of a statement, which `values()` below gives away.
        self.note(self.module.startswith("operations/") and any(says_status(key) for key in node.keys))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        self.note(name == "values" and any(each.arg == "status" for each in node.keywords))
        dictionaries = [each for said in node.args for each in ast.walk(said) if isinstance(each, ast.Dict)]
        self.note(name == "upsert" and any(says_status(key) for each in dictionaries for key in each.keys))
        self.note(name in {"setattr", "__setattr__"} and any(says_status(each) for each in node.args))
        self.generic_visit(node)

    def note(self, writes: bool) -> None:
        if writes:
            self.found.add(self.place[-1])


def says_status(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and node.value == "status"


def test_a_status_is_written_through_one_door() -> None:
    found: set[str] = set()
    for module, tree in syntax().items():
        writers = StatusWriters(module)
        writers.visit(tree)
        found |= writers.found
    assert found - STATUS_WRITERS.keys() == set(), "go through moves.move(), or say here why not"
    assert STATUS_WRITERS.keys() - found == set(), "these write no status any more"


def test_the_guard_of_the_status_sees_every_way_of_writing_it() -> None:
    ways = (
        "row.status = 1",
        "values['status'] = 1",
        "{'status': 1}",
        "update(t).values(status=1)",
        "upsert(t, {'status': 1})",
        "setattr(r, 'status', 1)",
    )
    for way in ways:
        guard = StatusWriters("operations/new.py")
        guard.visit(ast.parse(f"def sneak():\n    {way}"))
        assert guard.found == {"operations/new.py:sneak"}, way


# --- the schema and its migrations ----------------------------------------------------------------------------------


def structure(connection: Connection) -> dict[str, list[str]]:
    """What a database is made of: each table and index with its parts, in no particular order."""
    if connection.dialect.name == "postgresql":
        return postgres_structure(connection)
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {
        name: sorted(filter(None, (" ".join(part.split()).strip(" ()") for part in re.split(r"[\n,]", words))))
        for name, words in rows
        if not name.startswith(("sqlite_", "alembic_"))
    }


def postgres_structure(connection: Connection) -> dict[str, list[str]]:
    """The same of PostgreSQL, which tells it from its catalogue."""
    questions = (
        (
            "SELECT table_name, concat_ws(' ', column_name, data_type, character_maximum_length, is_nullable, "
            "collation_name, column_default, generation_expression) FROM information_schema.columns"
        ),
        "SELECT tablename, indexdef FROM pg_indexes",
        (
            "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint "
            "JOIN information_schema.tables ON table_schema = 'public' AND table_name = conrelid::regclass::text"
        ),
    )
    found: dict[str, list[str]] = {}
    for question, schema in zip(questions, ("table_schema", "schemaname", "table_schema"), strict=True):
        words = "AND" if "ON table_schema" in question else "WHERE"
        for name, part in connection.exec_driver_sql(f"{question} {words} {schema} = 'public' ORDER BY 1, 2"):
            if not name.startswith("alembic_"):
                found.setdefault(name, []).append(part)
    return {name: sorted(parts) for name, parts in found.items()}


def is_a_table(name: str | None, kind: str, _: object) -> bool:
    """Not an index of words (nor one of the tables that SQLite keeps it in), of which SQLAlchemy knows nothing."""
    return not (kind == "table" and str(name).startswith(tuple(WORD_INDEXES)))


def test_the_migrations_make_exactly_the_schema_of_the_tables(database: Database) -> None:
    with database.reading() as migrated, another_database(migrated.is_postgres) as plain:
        compares_defaults = not migrated.is_postgres  # which says of a computed column that it cannot
        options = {"compare_type": True, "compare_server_default": compares_defaults, "include_name": is_a_table}
        assert compare_metadata(MigrationContext.configure(migrated.connection, opts=options), metadata) == []
        metadata.create_all(plain)
        assert structure(migrated.connection) == structure(plain)


@contextmanager
def another_database(is_postgres: bool) -> Iterator[Connection]:
    """An empty database of the same kind, and nothing of the product's between it and the library."""
    with postgres.new_database() if is_postgres else nullcontext("sqlite://") as address:
        engine = create_engine(address.replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            yield connection
        engine.dispose()


def test_the_migrations_go_down_to_an_empty_file_and_up_again(database: Database) -> None:
    with database.reading() as db:
        before = structure(db.connection)
    migrate.downgrade(database, "base")
    with database.reading() as db:
        assert structure(db.connection) == {}
    migrate.upgrade(database)
    with database.reading() as db:
        assert structure(db.connection) == before


def test_the_program_knows_the_newest_revision() -> None:
    assert ScriptDirectory.from_config(migrate.alembic_config()).get_heads() == [migrate.HEAD]


# --- names and sizes ------------------------------------------------------------------------------------------------

SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "base", "misc"}
SUFFIXES = ("Manager", "Service", "Handler", "DTO")
LINES = 300
LONGER = {
    "repository/tables.py": "the schema on one page",
    "repository/graph.py": "edges and the order that they keep are one invariant",
    "repository/gate.py": "one lock, with the reasons for each of its steps",
}
"""Modules of more than 300 lines, and why they stay whole."""


def test_no_module_and_no_class_has_a_name_that_says_nothing() -> None:
    for module, tree in syntax().items():
        assert not SAY_NOTHING & {part.removesuffix(".py") for part in module.split("/")}, module
        for node in ast.walk(tree):
            assert not (isinstance(node, ast.ClassDef) and node.name.endswith(SUFFIXES)), f"{module}: {node.name}"


def test_a_module_is_short_or_says_why_not() -> None:
    long = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if len(path.read_text(encoding="utf-8").splitlines()) > LINES
    }
    assert long - LONGER.keys() == set(), "split it, or say here why it stays whole"
    assert LONGER.keys() - long == set(), "these are short by now"


# --- what the documents say -----------------------------------------------------------------------------------------


def commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command of the program, with the words that call it."""
    for name, command in (group or typer.main.get_command(app)).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


def development() -> Any:
    """The module dev.py."""
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def examples(language: str) -> list[str]:
    """The code blocks of the README in one language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def shell_lines() -> list[list[str]]:
    """The commands that the README shows, split into words."""
    return [
        shlex.split(line, comments=True)
        for block in examples("console")
        for line in block.splitlines()
        if line and not line.startswith("#")
    ]


def test_every_tool_is_told_in_the_documents() -> None:
    assert [tool for tool in schemas.operations() if f"`{tool}`" not in DOCUMENTS] == []


def test_every_setting_is_told_in_the_documents() -> None:
    settings = {f"SWARM_{name.upper()}" for name in Settings.model_fields}
    for path in SOURCE.rglob("*.py"):
        settings |= set(re.findall(r"SWARM_[A-Z][A-Z_]*[A-Z]", path.read_text(encoding="utf-8")))
    assert sorted(each for each in settings if f"`{each}" not in DOCUMENTS) == []


def test_every_command_is_told_in_the_documents() -> None:
    assert [path for path, _ in commands() if f"swarm-mcp {' '.join(path)}" not in DOCUMENTS] == []


def test_the_example_of_every_command_is_understood_by_it() -> None:
    for path, command in commands():
        words = shlex.split(" ".join((command.callback.__doc__ or "").partition("Example:")[2].split()))
        assert words[: 1 + len(path)] == ["swarm-mcp", *path]
        with command.make_context(" ".join(path), words[1 + len(path) :]) as context:
            assert context.args == [], path


def test_every_command_of_the_readme_exists() -> None:
    known = dict(commands())
    development_commands = development().COMMANDS
    for words in shell_lines():
        if words[:2] == ["python3", "dev.py"]:
            assert words[2] in development_commands, words
        elif words[0] == "swarm-mcp":
            path = tuple(words[1:3]) if tuple(words[1:3]) in known else tuple(words[1:2])
            assert path in known, words
            options = {opt for parameter in known[path].params for opt in parameter.opts}
            said = {word.partition("=")[0] for word in words if word.startswith("--")}
            assert said <= options, words


def test_the_readme_opens_with_the_problem_and_two_commands() -> None:
    opening = README.partition("\n## ")[0]
    assert "python3 dev.py demo" in opening
    assert "python3 dev.py test" in opening
    assert "python3 dev.py test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_a_python_that_is_too_old_is_told_so_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    ast.parse((ROOT / "dev.py").read_text(encoding="utf-8"), feature_version=(3, 7))
    module = development()
    monkeypatch.setattr(module, "OLDEST", (99, 1))
    with pytest.raises(SystemExit, match=r"needs Python 99\.1 or newer, and this is "):
        module.main(["test"])


def test_whoever_reads_how_to_install_it_reads_what_it_is_called() -> None:
    installing = re.findall(r"^.*\b(?:pip|pipx|uv tool) install .*$", DOCUMENTS, re.MULTILINE)
    assert installing
    assert [line for line in installing if re.search(r"install (-\S+ )*swarm-mcp(?!-server)", line)] == []
    assert "`swarm-mcp` on the package index is somebody else's program" in " ".join(README.split())


def test_the_readmes_script_runs(tmp_path: Path) -> None:
    (script,) = examples("python")
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_example_of_a_hosts_configuration_is_the_readmes() -> None:
    (shown,) = examples("json")
    example = json.loads((ROOT / "examples" / "claude_desktop_config.json").read_text(encoding="utf-8"))
    assert json.loads(shown) == example
    (server,) = example["mcpServers"].values()
    assert tuple(server["args"][:1]) in dict(commands())


def test_every_link_between_the_documents_leads_somewhere() -> None:
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
            if "://" not in link and not link.startswith("#"):
                assert (path.parent / link.partition("#")[0]).exists(), f"{path.name}: {link}"


def test_the_lifecycle_in_the_documents_is_the_one_that_holds() -> None:
    assert diagram.drawn() == diagram.diagram(), "python tests/diagram.py draws it anew"


def test_the_list_of_tools_is_written_out_as_the_operations_are() -> None:
    assert toolbox.FILE.read_text(encoding="utf-8") == schemas.written(), (
        "python -m swarm_mcp.server.schemas writes it anew"
    )


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == swarm_mcp.__version__
    assert f"## [{swarm_mcp.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def ours() -> Iterator[Path]:
    """Every file of the project, without what tools leave behind."""
    for folder, inside, names in os.walk(ROOT):
        inside[:] = [each for each in inside if each == ".ci" or not each.startswith((".", "__", "dist", "build"))]
        yield from (Path(folder, name) for name in names if not name.startswith(".coverage"))


def test_no_file_names_the_host_of_a_package_registry() -> None:
    hosts = [
        ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"))
    ]
    for path in ours():
        text = path.read_bytes()
        assert not [host for host in hosts if host.encode() in text], path


# --- the wheel ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return Path(built)


def test_the_wheel_carries_everything_that_an_installed_program_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    revisions = {
        f"swarm_mcp/migrations/versions/{path.name}" for path in (ROOT / "migrations" / "versions").glob("*.py")
    }
    plans = {f"swarm_mcp/interchange/plans/{path.name}" for path in (SOURCE / "interchange" / "plans").iterdir()}
    assert revisions
    assert plans
    modules = {f"swarm_mcp/{name}" for name in syntax()}
    assert {"swarm_mcp/migrations/env.py", "swarm_mcp/server/tools.json", *revisions, *plans, *modules} <= names
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"swarm_mcp"}


def test_the_wheel_alone_passes_the_demo_in_another_folder(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    # What is measured is the tree, not this copy of it.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "COV_"))}
    environment |= {"PYTHONPATH": str(tmp_path / "installed"), "TMPDIR": str(tmp_path)}
    (tmp_path / "elsewhere").mkdir()
    run = partial(subprocess.run, cwd=tmp_path / "elsewhere", env=environment, capture_output=True, text=True)
    where = run([sys.executable, "-c", "from swarm_mcp.repository import migrate; print(migrate.folder())"], check=True)
    assert Path(where.stdout.strip()).is_relative_to(tmp_path / "installed")
    demo = run([sys.executable, "-m", "swarm_mcp", "demo", "--workers", "1"], check=False)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert not list((tmp_path / "elsewhere").iterdir())
