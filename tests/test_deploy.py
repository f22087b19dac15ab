"""What the page about deploying says: every command and setting exists, and every file of it does what it says."""

from __future__ import annotations

import http.client
import json
import os
import queue
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import tomllib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from anyio.from_thread import start_blocking_portal
from ears import Ear, name_of
from httpx2 import AsyncClient, Timeout
from listening import Listener, begin, call, closed_while_told, listening, port_of
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import Implementation
from proxying import NAME, free_port, program, proxied, servers_of, written
from recount import looking, problems
from serving import GIVE_UP_SECONDS, LEGACY, MODERN, Desk
from test_house import DOCUMENTS, commands

from swarm_mcp import open_swarm, operations
from swarm_mcp.cli.remote import FORCE_SECONDS, GRACE_SECONDS, KEEP_ALIVE_SECONDS
from swarm_mcp.config import Settings
from swarm_mcp.repository import migrate
from swarm_mcp.web.walls import LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxying import Proxy

pytestmark = pytest.mark.no_cover  # what it runs is covered where it is looked at by itself

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "deploy"
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
NGINX = (FOLDER / "nginx.conf").read_text(encoding="utf-8")
UNIT = (FOLDER / "swarm-mcp.service").read_text(encoding="utf-8")
DOCKERFILE = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FILES = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir() if path.is_file()}


# The page


def lines() -> Iterator[list[str]]:
    """Every command line of the page and of the files' comments, in words."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    shown = [line for block in blocks for line in block.splitlines()]
    shown += [line[1:].strip() for text in FILES.values() for line in text.splitlines() if line.startswith("#   ")]
    yield from (shlex.split(line, comments=True) for line in shown if line)


def calls_of_ours() -> Iterator[list[str]]:
    """Those that call the program, from its first argument on; in a container it is what is run there."""
    for words in lines():
        for place, word in enumerate(words):
            is_a_program = word == "swarm-mcp" or word.endswith("/bin/swarm-mcp")
            is_a_user = words[place - 1] in {"-u", "-o", "-g", "--now"}
            if (is_a_program and not is_a_user) or (word == "board-1" and "run" in words):
                yield words[place + 1 :]
                break


def test_every_command_of_the_page_exists() -> None:
    known = dict(commands())
    found = [words for words in calls_of_ours() if words]
    assert len(found) > 8
    for words in found:
        path = tuple(words[:2]) if tuple(words[:2]) in known else tuple(words[:1])
        assert path in known, words
        options = {opt for parameter in known[path].params for opt in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, words


def test_every_setting_of_the_page_and_of_the_files_exists() -> None:
    known = {f"SWARM_{name.upper()}" for name in Settings.model_fields}
    for name, text in {"deploy.md": PAGE, **FILES}.items():
        assert set(re.findall(r"SWARM_[A-Z_]*[A-Z]", text)) <= known, name


def test_every_extra_and_every_file_that_is_installed_exists() -> None:
    named = {
        each
        for text in (PAGE, DOCKERFILE)
        for found in re.findall(r"\.\[([a-z,]+)\]", text)
        for each in found.split(",")
    }
    assert named
    assert named <= PROJECT["optional-dependencies"].keys()
    assert all((ROOT / path).exists() for path in re.findall(r"\bdeploy/[\w.@-]+\w", PAGE) if path != "deploy/tls")


def test_the_readers_of_the_readme_find_the_page() -> None:
    assert "docs/deploy.md" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "deploy.md" in DOCUMENTS


def test_the_copies_that_the_page_makes_are_whole_boards(tmp_path: Path) -> None:
    board, copies = tmp_path / "swarm.db", tmp_path / "copies"
    copies.mkdir()
    swarm = open_swarm(board)
    with swarm.writing(agent="lead") as db:  # not yet in the file itself, but in its log
        operations.create_plan(db, tasks=[{"title": "One"}, {"title": "Two"}])
    ways = [
        words for words in lines() if "/var/backups/swarm-mcp/board.db" in " ".join(words) and "restore" not in words
    ]
    assert len(ways) == 2
    for number, way in enumerate(ways):
        copy = copies / f"{number}.db"
        words = [each.replace("/var/lib/swarm-mcp/swarm.db", str(board)) for each in way]
        words = [each.replace("/var/backups/swarm-mcp/board.db", str(copy)) for each in words]
        words[:1] = [sys.executable, "-m", "swarm_mcp"] if words[0] == "swarm-mcp" else words[:1]
        if shutil.which(words[0]) is None:
            continue
        done = subprocess.run(words, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert problems(copy) == []
        other = open_swarm(copy)
        assert len(other.read(lambda db: operations.list_tasks(db).tasks)) == 2
        other.close()
    swarm.close()


NEWER = """
from alembic import op
import sqlalchemy as sa

revision, down_revision, branch_labels, depends_on = "{new}", "{old}", None, None

def upgrade():
    op.create_table("one_more", sa.Column("id", sa.Integer, primary_key=True))
"""


def newer_program(folder: Path) -> tuple[Path, str]:
    """The program with one migration more; where it is, and its schema."""
    new = f"{int(migrate.HEAD) + 1:04}"
    for name in ("src", "migrations"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    knows = folder / "src" / "swarm_mcp" / "repository" / "migrate.py"
    knows.write_text(knows.read_text().replace(f'HEAD: Final = "{migrate.HEAD}"', f'HEAD: Final = "{new}"'))
    (folder / "migrations" / "versions" / f"{new}_one_more.py").write_text(NEWER.format(new=new, old=migrate.HEAD))
    return folder / "src", new


def test_a_newer_schema_ends_the_service_of_the_older_servers_and_loses_nothing(tmp_path: Path) -> None:
    board = tmp_path / "swarm.db"
    source, new = newer_program(tmp_path / "newer")
    (sentence,) = re.findall(r"^> (The board was .*)$", PAGE, re.MULTILINE)
    doctor = [sys.executable, "-m", "swarm_mcp", "doctor", "--json", "--database", str(board)]
    with listening(board, name="old") as old:
        assert old.ask("POST", "/api/tasks", {"title": "Before", "agent": "lead"}).status == 201
        asked = subprocess.run(
            doctor, check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(source)}
        )  # fmt: skip
        said = json.loads(asked.stdout)
        assert (said["revision"], said["schema"], said["health"]) == (migrate.HEAD, new, "ok")
        assert old.ask("GET", "/health").status == 200, "the doctor changes nothing"
        with listening(board, name="new", PYTHONPATH=str(source)) as newer:
            assert old.ask("GET", "/health").status == 503
            for tool in ("create_task", "get_task"):
                body, headers = call(tool, agent="lead", **({"title": "Lost"} if tool == "create_task" else {}))
                heard = old.ask("POST", "/mcp", body, **headers)
                assert (heard.status, heard.facts["message"]) == (503, sentence)
            assert newer.ask("POST", "/api/tasks", {"title": "After", "agent": "lead"}).status == 201
        assert old.stop() == 0
    words = [*doctor[:3], "serve", "--transport", "http", "--port", "0", "--database", str(board)]
    again = subprocess.run(words, check=False, capture_output=True, text=True)
    assert (again.returncode, again.stderr.strip()) == (1, sentence)
    copies = list(tmp_path.glob(f"swarm.db.before-{migrate.HEAD}-to-{new}-*"))
    assert len(copies) == 1
    with looking(board) as raw:
        assert {title for (title,) in raw.execute("SELECT title FROM task")} == {"Before", "After"}


# The unit


def unit(name: str) -> list[str]:
    """What the unit says under a name."""
    return re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)


@pytest.mark.parametrize("name", ["swarm-mcp.service", "swarm-mcp@8766.service"])
def test_systemd_understands_the_unit(tmp_path: Path, name: str) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    (tmp_path / name).write_text(UNIT.replace("/opt/swarm-mcp/bin/swarm-mcp", sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / name)], check=False, capture_output=True, text=True,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )  # fmt: skip
    assert [line for line in done.stderr.splitlines() if name in line] == []
    assert done.returncode == 0, done.stderr


def test_what_the_unit_starts_serves_and_ends(tmp_path: Path) -> None:
    port = free_port()
    said = dict(each.split("=", 1) for each in unit("Environment"))
    assert said["SWARM_PORT"] == "%i"
    assert said["SWARM_DATABASE"].startswith(unit("WorkingDirectory")[0])
    environment = {**said, "SWARM_PORT": str(port), "SWARM_DATABASE": str(tmp_path / "swarm.db")}
    (command,) = unit("ExecStart")
    server = started(tmp_path, command.split()[1:], environment)
    try:
        assert server.port == port
        assert server.ask("GET", "/health").status == 200
    finally:
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(GIVE_UP_SECONDS) == 0
    assert int(unit("TimeoutStopSec")[0]) > FORCE_SECONDS


def test_without_an_instance_the_unit_leaves_the_port_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARM_PORT", "")
    assert Settings().port == Settings.model_fields["port"].default == 8765


def started(folder: Path, words: list[str], environment: dict[str, str]) -> Listener:
    log = folder / "server.log"
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "swarm_mcp", *words], stdin=subprocess.DEVNULL, stderr=errors, cwd=folder,
            env={**os.environ, **environment},
        )  # fmt: skip
    return Listener(folder / "swarm.db", process, log, port_of(process, log))


# The image


def instructions(name: str) -> list[str]:
    """What the Dockerfile says after an instruction, with its continuations."""
    return re.findall(rf"^(?:  )?{name} (.*)$", DOCKERFILE.replace("\\\n", " "), re.MULTILINE)


def test_the_image_is_made_of_what_there_is() -> None:
    oldest = tuple(map(int, PROJECT["requires-python"].removeprefix(">=").split(".")))
    (python,) = re.findall(r"^ARG PYTHON=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert tuple(map(int, python.split("."))) >= oldest
    copied = [word for words in instructions("COPY") if "--from" not in words for word in words.split()[:-1]]
    assert all((ROOT / each).exists() for each in copied)
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    needed = {*(each.split("/")[0] for each in wheel["wheel"]["packages"]), *wheel["wheel"]["force-include"]}
    needed |= {PROJECT["readme"], *PROJECT["license-files"], "pyproject.toml"}
    assert needed <= set(copied)


def test_the_image_runs_as_nobody_in_particular_what_the_program_has() -> None:
    (user,) = instructions("USER")
    assert f"--uid {user} " in DOCKERFILE
    assert int(user) > 0
    (entry,), (command,) = instructions("ENTRYPOINT"), instructions("CMD")[-1:]
    assert yaml.safe_load(entry) == list(PROJECT["scripts"])[:1]
    assert tuple(yaml.safe_load(command)) in dict(commands())
    assert instructions("VOLUME") == instructions("WORKDIR")[-1:]


def test_a_container_starts_with_a_token_only_and_its_health_is_found(tmp_path: Path) -> None:
    port = free_port()
    (said,) = instructions("ENV")
    environment = dict(word.split("=", 1) for word in shlex.split(said))
    assert environment.pop("PATH").startswith("/opt/swarm-mcp/bin:")
    assert environment["SWARM_DATABASE"].startswith(instructions("VOLUME")[0])
    assert environment["SWARM_PORT"] == instructions("EXPOSE")[0]
    told = {**environment, "SWARM_DATABASE": str(tmp_path / "swarm.db"), "SWARM_PORT": str(port)}
    program = [sys.executable, "-m", "swarm_mcp"]

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **told}
        return subprocess.run(words, check=False, capture_output=True, text=True, cwd=tmp_path, env=environment)

    refused = run(*program, "serve")
    assert refused.returncode == 1
    assert "swarm-mcp token create" in refused.stderr
    assert run(*program, "token", "create", "lead").returncode == 0
    (check,) = (each.partition("CMD ")[2] for each in instructions("HEALTHCHECK"))
    words = [each.replace(environment["SWARM_PORT"], str(port)) for each in yaml.safe_load(check)]
    words[0] = sys.executable
    assert run(*words).returncode != 0
    server = started(tmp_path, ["serve"], told)
    try:
        assert run(*words).returncode == 0
        assert server.ask("GET", "/health/detailed", Host="localhost").status == 401
    finally:
        assert server.stop() == 0


# The containers together


def test_the_containers_are_servers_of_one_board_behind_the_proxy() -> None:
    services: dict[str, Any] = COMPOSE["services"]
    boards = {name: each for name, each in services.items() if name.startswith("board-")}
    assert len(boards) == 3
    assert "build" in boards["board-1"], "the others use the image that it makes"
    settings = {f"SWARM_{name.upper()}" for name in Settings.model_fields}
    for board in boards.values():
        assert board["image"] == "swarm-mcp"
        assert {name for name in board["environment"] if name.startswith("SWARM_")} <= settings
        assert board["environment"]["SWARM_DATABASE"].startswith("postgresql://swarm@db/")
        assert board["depends_on"] == {"db": {"condition": "service_healthy"}}
        assert int(board["stop_grace_period"].removesuffix("s")) > FORCE_SECONDS
    context = FOLDER / boards["board-1"]["build"]["context"]
    assert (context / boards["board-1"]["build"]["dockerfile"]).resolve() == FOLDER / "Dockerfile"
    addresses = {f"{name}:{each['networks']['inside']['ipv4_address']}" for name, each in boards.items()}
    assert set(services["proxy"]["extra_hosts"]) == addresses
    assert {f"{name}:8765" for name in boards} == set(re.findall(r"server (board-\d:\d+) ", NGINX))
    volumes = [each.split(":") for each in services["proxy"]["volumes"]]
    assert ["./nginx.conf", "/etc/nginx/nginx.conf", "ro"] in volumes
    assert all(path in PAGE or (FOLDER / path).exists() for path in ("deploy/tls/", "nginx.conf"))
    named = {volume for each in services.values() for volume in each.get("volumes", []) if not volume.startswith(".")}
    assert {each.split(":")[0] for each in named} == set(COMPOSE["volumes"])


def test_nobody_is_asked_for_less_than_a_password_and_a_name() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+):\?", FILES["compose.yaml"]))
    assert asked == set(re.findall(r"\$\{([A-Z_]+)", FILES["compose.yaml"])) == {"BOARD_NAME", "POSTGRES_PASSWORD"}
    exported = next(words for words in lines() if words[0] == "export")
    assert {word.split("=")[0] for word in exported[1:]} == asked


# The proxy


def test_the_proxy_is_less_patient_with_idle_connections_and_more_with_sizes_and_streams() -> None:
    (kept,) = re.findall(r"keepalive_timeout (\d+)s", NGINX)
    assert int(kept) < KEEP_ALIVE_SECONDS
    (size,) = re.findall(r"client_max_body_size (\d+)m", NGINX)
    assert int(size) * 1024 * 1024 > LIMIT
    assert "non_idempotent" not in NGINX, "a call that writes is sent once"
    assert f"{GRACE_SECONDS} seconds" not in NGINX
    assert {"proxy_buffering off;", "proxy_set_header Host $host;"} <= {line.strip() for line in NGINX.splitlines()}


def test_nginx_understands_the_configuration(tmp_path: Path) -> None:
    configuration = written(tmp_path, [1, 2, 3], free_port())
    done = subprocess.run(
        [program(), "-t", "-p", str(tmp_path), "-e", "stderr", "-c", str(configuration)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Two servers of one board behind the proxy, and a third that is not there."""
    folder = tmp_path_factory.mktemp("fleet")
    program()
    with (
        listening(folder / "swarm.db", name="one") as one,
        listening(folder / "swarm.db", name="two") as two,
        proxied(folder, [one.port, two.port, free_port()]) as proxy,
    ):
        yield proxy


@contextmanager
def through(proxy: Proxy, path: str, mode: str) -> Iterator[Ear]:
    """The SDK's client at an address of the proxy, and what it is told by itself."""
    told: queue.SimpleQueue[Any] = queue.SimpleQueue()

    async def hear(message: Any) -> None:
        told.put(name_of(message))

    with start_blocking_portal() as portal, closed_while_told():
        client = AsyncClient(verify=proxy.trust, timeout=Timeout(GIVE_UP_SECONDS))
        if path == "/sse":
            transport: Any = sse_client(proxy.url + path, httpx_client_factory=lambda **_: client)
        else:
            transport = streamable_http_client(proxy.url + path, http_client=client)
        able = {"message_handler": hear} if mode == LEGACY else {}
        host = Client(transport, mode=mode, client_info=Implementation(name="lead", version="1"), **able)
        with portal.wrap_async_context_manager(host) as connected:
            yield Ear(Desk(portal, connected, proxy.log, proxy.log), told, mode)
        portal.call(client.aclose)


@pytest.mark.parametrize(("path", "mode"), [("/mcp", MODERN), ("/mcp", LEGACY), ("/sse", LEGACY)])
def test_two_servers_behind_the_proxy_are_one(fleet: Proxy, path: str, mode: str) -> None:
    with through(fleet, path, mode) as ear:
        task = ear.desk.call("create_task", title=f"Through {path}, {mode}").task
        for _ in range(6):
            assert ear.desk.call("get_task", task=task)["task"]["id"] == task
        ear.desk.call("check_inbox")
        alive = threading.Event()

        async def progress(*_: Any) -> None:
            alive.set()

        waiting = ear.desk.begin("check_inbox", wait_seconds=45, progress=progress)
        assert alive.wait(GIVE_UP_SECONDS), "it comes through the proxy while the call is still waiting"
        assert not waiting.done()
        said(fleet, "/mcp/worker", "send_message", to="lead", text="Wake up", agent="bob")
        assert "Wake up" in waiting.result(GIVE_UP_SECONDS).text
    if path == "/mcp":
        assert len(servers_of(fleet.log)) >= 2


@pytest.mark.parametrize(("path", "mode"), [("/mcp", MODERN), ("/sse", LEGACY)])
@pytest.mark.filterwarnings("ignore:resources/.* is removed")
def test_whoever_listens_through_the_proxy_hears_what_came_through_it(fleet: Proxy, path: str, mode: str) -> None:
    with through(fleet, path, mode) as ear:
        task = ear.desk.call("create_task", title="To be watched").task
        ear.listen(f"swarm://tasks/{task}")
        said(fleet, "/mcp", "update_task", task=task, priority="high", agent="lead")
        assert f"swarm://tasks/{task}" in ear.until(f"swarm://tasks/{task}")
        if mode == MODERN:
            ear.leave("")


def said(proxy: Proxy, path: str, tool: str, **arguments: Any) -> None:
    """A call of somebody else's, on a connection of its own."""
    body, headers = call(tool, **arguments)
    connection = http.client.HTTPSConnection(NAME, proxy.port, timeout=GIVE_UP_SECONDS, context=proxy.trust)
    begin(connection, "POST", path, body, **headers)
    answer = connection.getresponse()
    assert answer.status == 200
    assert b'"isError":true' not in answer.read()
    connection.close()


def test_the_proxy_names_the_request_and_keeps_figures_to_itself(fleet: Proxy) -> None:
    with start_blocking_portal() as portal:

        async def ask(path: str) -> Any:
            async with AsyncClient(verify=fleet.trust) as client:
                return await client.get(fleet.url + path)

        health, figures = portal.call(ask, "/health"), portal.call(ask, "/metrics")
    assert health.status_code == figures.status_code == 200
    assert f"request {health.headers['x-request-id']}" in fleet.log.read_text()
    assert health.headers["strict-transport-security"]
    assert re.search(r"metrics\)\$ \{|metrics\|health/detailed\)\$ \{\s+allow 127\.0\.0\.1;\s+deny all;", NGINX)
