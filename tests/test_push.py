"""Changes are pushed: to whoever listens, whichever process made them, over every transport, and to nobody else."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import postgres
import pytest
from ears import LIST, WAYS, Ear, listener
from listening import Listener, begin, handshake, listening, of_session, visiting
from mcp.shared.exceptions import MCPError
from serving import LEGACY, MODERN, Answer, Desk, serving, wired

if TYPE_CHECKING:
    from collections.abc import Iterator

# The SDK's client says that the newer generation has another way, which we use where we speak it.
pytestmark = [
    pytest.mark.filterwarnings("ignore:resources/.*:mcp.shared.exceptions.MCPDeprecationWarning"),
    pytest.mark.no_cover,  # measuring doubles what its many programs cost
]

# Whoever has been told of what was done last has been told of all that was done before, if it was to be told at all:
# so every test ends with a change that everybody hears of, and none waits for a time.


class Scene(NamedTuple):
    """A board, where it is, and two processes on it: `lead`'s own, and a server over HTTP."""

    folder: Path
    options: tuple[str, ...]
    lead: Desk
    server: Listener

    def do(self, tool: str, *, agent: str = "lead", **said: Any) -> Answer:
        """Do something in the process that is neither the listener's nor the server's."""
        return self.lead.call(tool, agent=agent, **said)


PATIENCE = 900.0
"""Seconds; a server that many tests share lives longer than one test may take."""


@contextmanager
def set_up(place: Path | str, folder: Path) -> Iterator[Scene]:
    options = () if isinstance(place, Path) else ("--database", place)
    board = folder / "swarm.db"
    with serving(board, *options, name="lead") as lead:
        lead.call("register_agent", name="ada", superior="lead")
        lead.call("register_agent", name="bob", superior="lead")
        with listening(board, *options, patience=PATIENCE) as server:
            yield Scene(folder, options, lead, server)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Scene]]:
    """A scene on each database, set when it is first asked for: two programs that start cost more than most tests."""
    with ExitStack() as stack:
        yield OnDemand(stack, tmp_path_factory)


class OnDemand(dict[str, Scene]):
    def __init__(self, stack: ExitStack, folders: pytest.TempPathFactory) -> None:
        self.stack, self.folders = stack, folders

    def __missing__(self, engine: str) -> Scene:
        folder = self.folders.mktemp(engine)
        place = self.stack.enter_context(postgres.new_database()) if engine == "postgres" else folder / "swarm.db"
        return self.setdefault(engine, self.stack.enter_context(set_up(place, folder)))


@pytest.fixture
def scene(scenes: dict[str, Scene], engine: str) -> Scene:
    """A scene on which others have played already: whoever listens hears of what is done from then on."""
    return scenes[engine]


@contextmanager
def ear(scene: Scene, way: str, mode: str, name: str = "ada", token: str = "") -> Iterator[Ear]:
    board = scene.folder / "swarm.db"
    has_stream = (way, mode) == ("/mcp", LEGACY)
    before = figure(scene.server, "swarm_listeners") if has_stream else 0
    with listener(board, way, mode, *scene.options, server=scene.server, name=name, token=token) as heard:
        while has_stream and figure(scene.server, "swarm_listeners") <= before:
            pass  # it opens its stream when it comes to it
        yield heard


@pytest.mark.parametrize(("way", "mode"), WAYS)
def test_every_resource_tells_of_what_another_process_did(scene: Scene, way: str, mode: str) -> None:
    parent = scene.do("create_task", title="House").task
    task = scene.do("create_task", title="Roof", parent=parent, assignee="ada").task
    first = scene.do("create_task", title="Walls").task
    scene.do("send_message", text="Hello.", to="ada", task=task)
    with ear(scene, way, mode) as ada:
        parts = ("", "/tree", "/graph", "/context", "/progress", "/notes", "/history")
        of_task = [f"swarm://tasks/{task}{part}" for part in parts]
        others = [
            "swarm://overview", "swarm://tasks", "swarm://tasks?status=pending,blocked&limit=5", "swarm://agents",
            "swarm://agents/ada", "swarm://agents/ada/inbox", f"swarm://conversations/{task}", "swarm://events?after=1",
            f"swarm://tasks/{parent}", f"swarm://tasks/{parent}/tree", f"swarm://tasks/{parent}/graph",
            f"swarm://tasks/{first}/graph",
        ]  # fmt: skip
        ada.listen(*of_task, *others)
        heard: set[str] = set()
        scene.do("share_context", key="colour", value="red", task=task)
        scene.do("send_message", text="Do you hear?", to="ada", task=task)
        scene.do("add_note", task=task, text="For ada.", agent="ada")
        scene.do("update_task", task=task, add_depends_on=[first], priority="high")
        wanted = {*of_task, *others}
        while heard < wanted:
            heard.add(ada.next())
        assert heard <= wanted | {LIST}


@pytest.mark.parametrize(("way", "mode"), WAYS)
def test_the_list_of_resources_is_told_of(scene: Scene, way: str, mode: str) -> None:
    with ear(scene, way, mode) as ada:
        ada.listen("swarm://overview", lists=True)
        task = scene.do("create_task", title="New", priority="critical").task  # hosts are offered the most urgent
        assert ada.until(LIST) <= {LIST, "swarm://overview"}
        assert any(task in str(each.uri) for each in ada.desk.run("list_resources").resources)


@pytest.mark.parametrize(("way", "mode"), WAYS)
def test_what_may_not_be_read_is_refused_as_reading_it_is(scene: Scene, way: str, mode: str) -> None:
    with ear(scene, way, mode) as ada:
        for uri in (
            "swarm://tasks/zzzzzzzz", "swarm://agents/bob/inbox", "swarm://agents/nobody", "swarm://conversations/none",
            "swarm://tasks?status=done_and_dusted", "swarm://elsewhere", "file:///etc/passwd",
        ):  # fmt: skip
            with pytest.raises(MCPError) as reading:
                ada.desk.read(uri)
            with pytest.raises(MCPError) as listening_to_it:
                ada.listen(uri)
            assert listening_to_it.value.error == reading.value.error


@pytest.mark.parametrize(("way", "mode"), WAYS)
def test_nobody_is_told_of_what_it_could_not_read(scene: Scene, way: str, mode: str) -> None:
    task = scene.do("create_task", title="Shared").task
    scene.do("send_message", text="To both.", to="ada", task=task)
    scene.do("send_message", text="To both.", to="bob", task=task)
    with ear(scene, way, mode) as ada:
        mine = {f"swarm://tasks/{task}/notes", "swarm://agents/ada/inbox", f"swarm://conversations/{task}"}
        ada.listen(*mine, "swarm://overview")
        scene.do("add_note", task=task, text="Mine alone.", agent="bob")
        scene.do("add_note", task=task, text="Mine alone.")
        scene.do("send_message", text="For bob alone.", to="bob", task=task)
        scene.do("send_message", text="Not about a task.", to="bob")
        scene.do("create_task", title="Heard by all")
        assert ada.until("swarm://overview") <= {"swarm://overview", LIST}
        scene.do("send_message", text="For ada.", to="ada", task=task)
        scene.do("add_note", task=task, text="Hers.", agent="ada")
        while mine:
            mine.discard(ada.next())


def test_projects_are_walls(scene: Scene) -> None:
    board = scene.folder / "swarm.db"
    where = scene.options or ("--database", str(board))
    made = [sys.executable, "-m", "swarm_mcp", "project", "create", "garden", *where]
    subprocess.run(made, check=True, capture_output=True)
    with (
        serving(board, *scene.options, "--project", "garden", name="gardener") as gardener,
        listener(board, "stdio", MODERN, *scene.options, name="ada") as ada,
    ):
        ada.listen("swarm://overview", "swarm://events", "swarm://agents", "swarm://tasks", lists=True)
        gardener.call("create_task", title="Weeds")
        gardener.call("send_message", text="Psst.", to="gardener", agent="other")
        scene.do("send_message", text="Silent.", to="bob")
        scene.do("register_agent", name="eve", superior="lead")
        # An agent is no task and no resource that is offered: told of garden's task, ada would hear of these.
        assert ada.until("swarm://events") <= {"swarm://overview", "swarm://events", "swarm://agents"}


WRITERS = 4
EACH = 25


def test_nothing_is_missed_of_what_many_processes_write(scene: Scene) -> None:
    tasks = [scene.do("create_task", title=f"Task {number}").task for number in range(WRITERS)]
    with ear(scene, "/mcp", MODERN) as ada, ear(scene, "/mcp", LEGACY) as bob, ExitStack() as stack:
        uris = [f"swarm://tasks/{task}/history" for task in tasks]
        for each in (ada, bob):
            each.listen(*uris)
        desks = [
            stack.enter_context(serving(scene.folder / "swarm.db", *scene.options, name=f"w{number}"))
            for number in range(WRITERS)
        ]
        last: list[str] = []
        for number in range(EACH):
            calls = [
                desk.begin("update_task", task=task, title=f"Title {number}", agent="lead")
                for desk, task in zip(desks, tasks, strict=True)
            ]
            last = [call.result().text for call in calls]
        assert all(last)
        # Whoever reads when it is told sees the end at last: the last change of each was not the one that was missed.
        for each in (ada, bob):
            seen = dict.fromkeys(uris, "")
            while any(f"Title {EACH - 1}" not in text for text in seen.values()):
                uri = each.next()
                if uri in seen:
                    seen[uri] = each.desk.read(uri)


@pytest.mark.parametrize(("way", "mode"), WAYS)
def test_whoever_listens_no_longer_is_told_nothing_more(scene: Scene, way: str, mode: str) -> None:
    task = scene.do("create_task", title="Left alone").task
    with ear(scene, way, mode) as ada, ear(scene, way, mode, name="bob") as bob:
        bob.listen("swarm://overview")
        ada.listen(f"swarm://tasks/{task}", *(["swarm://events"] if mode == LEGACY else []))
        ada.leave(f"swarm://tasks/{task}")
        scene.do("update_task", task=task, title="Changed")
        if mode == LEGACY:
            assert ada.until("swarm://events") <= {"swarm://events", LIST}
        else:
            bob.until("swarm://overview")
            assert ada.told.empty()


def test_a_client_that_vanishes_is_forgotten(scene: Scene) -> None:
    with ExitStack() as stack:
        ears = [stack.enter_context(ear(scene, way, mode, name=f"gone{place}"))
                for place, (way, mode) in enumerate(WAYS) if way != "stdio"]  # fmt: skip
        for each in ears:
            each.listen("swarm://overview")
        while figure(scene.server, "swarm_listeners") != len(ears):
            pass  # a session's stream opens when its client comes to it
    while figure(scene.server, "swarm_listeners"):
        pass


def test_a_client_that_vanishes_at_once_is_not_told_of_anything_later(scene: Scene) -> None:
    """A connection listens a little after it has begun: not, if it has ended by then."""
    for way, mode in WAYS:
        if way != "stdio":
            with ear(scene, way, mode, name="hasty"):
                pass
    with ear(scene, "/sse", LEGACY, name="patient") as patient:
        while patient.told.empty():  # it came last: those before it would have begun to listen by then
            scene.do("create_task", title="Heard once it listens")
        assert figure(scene.server, "swarm_listeners") == 1


def figure(server: Listener, name: str) -> int:
    """One of the figures that a server tells of itself."""
    lines = server.ask("GET", "/metrics").body.decode().splitlines()
    return int(float(next(line.split()[1] for line in lines if line.startswith(f"{name} "))))


def test_a_server_that_stops_ends_its_streams(place: Path | str, tmp_path: Path) -> None:
    with set_up(place, tmp_path) as scene, ExitStack() as stack:
        ears = {(way, mode): stack.enter_context(ear(scene, way, mode)) for way, mode in WAYS if way != "stdio"}
        for each in ears.values():
            each.listen("swarm://overview")
        assert scene.server.stop() == 0
        for (_, mode), each in ears.items():
            if mode == MODERN:
                assert each.end() == "ended in order"
        assert "Traceback" not in scene.server.log.read_text()


def test_a_pipe_that_is_closed_ends_its_streams_in_order(tmp_path: Path) -> None:
    with wired(tmp_path / "swarm.db") as wire:
        asked = wire.send("subscriptions/listen", {"notifications": {"resourceSubscriptions": ["swarm://overview"]}})
        assert wire.hear()["method"] == "notifications/subscriptions/acknowledged"
        (last,) = [json.loads(line) for line in wire.rest().splitlines()]
        assert (last["id"], "result" in last) == (asked, True)
        assert wire.process.wait() == 0


# Sessions of the older generation that come to several servers


def test_a_session_subscribes_at_one_server_and_is_told_by_the_one_that_has_its_stream(scene: Scene) -> None:
    board = scene.folder / "swarm.db"
    with listening(board, *scene.options, name="other") as other:
        session = handshake(scene.server, name="roamer")
        connection = scene.server.connect()
        begin(connection, "GET", "/mcp", **{**of_session(session), "Accept": "text/event-stream"})
        stream = connection.getresponse()
        for uri in ("swarm://overview", "swarm://agents/roamer/inbox"):
            body = {"jsonrpc": "2.0", "id": 7, "method": "resources/subscribe", "params": {"uri": uri}}
            assert other.ask("POST", "/mcp", body, **of_session(session)).facts["result"] == {}
        scene.do("create_task", title="Told elsewhere")
        hear_until(stream, b"swarm://overview")
        body["method"] = "resources/unsubscribe"
        assert other.ask("POST", "/mcp", body, **of_session(session)).facts["result"] == {}
        connection.close()
        # Opened again, at the other server: it is told that what is left may have changed meanwhile.
        connection = other.connect()
        begin(connection, "GET", "/mcp", **{**of_session(session), "Accept": "text/event-stream"})
        heard = hear_until(connection.getresponse(), b"swarm://overview")
        assert b"inbox" not in heard
        connection.close()


def hear_until(stream: object, words: bytes) -> bytes:
    """What a stream says, up to and with these words."""
    heard = b""
    for line in stream:  # type: ignore[attr-defined]
        heard += line
        if words in line:
            return heard
    pytest.fail(f"It ended: {heard!r}")


# Who is let in


@pytest.fixture
def own_scene(place: Path | str, tmp_path: Path) -> Iterator[Scene]:
    """A scene for a test after which nothing is as it was."""
    with set_up(place, tmp_path) as scene:
        yield scene


def test_a_token_that_is_revoked_hears_nothing_more(own_scene: Scene) -> None:
    scene = own_scene
    where = scene.options or ("--database", str(scene.folder / "swarm.db"))

    def token(*words: str) -> str:
        command = [sys.executable, "-m", "swarm_mcp", "token", *words, *where]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    with ear(scene, "/mcp", MODERN, name="stranger") as stranger:
        stranger.listen("swarm://overview")
        made = token("create", "ada", "--scope", "director")
        assert stranger.end() == "ended in order"  # from now on nobody is let in without one
    secret = next(word for word in made.split() if word.startswith("swarm_"))
    with ear(scene, "/mcp", MODERN, token=secret) as ada:
        ada.listen("swarm://overview")
        scene.do("create_task", title="Heard")
        ada.until("swarm://overview")
        token("revoke", secret.split("_")[1])
        assert ada.end() == "ended in order"


def test_capabilities_say_what_is_true(scene: Scene) -> None:
    for way, mode in WAYS:
        with ear(scene, way, mode) as ada:
            said = ada.desk.client.server_capabilities
            assert said.resources is not None
            assert (said.resources.subscribe, said.resources.list_changed) == (True, True)
            for other in (said.tools, said.prompts):
                assert other is not None
                assert not other.list_changed


def test_a_stream_is_told_of_what_it_asked_for_and_honours_nothing_that_never_changes(scene: Scene) -> None:
    with visiting(scene.server) as desk:

        async def listen() -> object:
            async with desk.client.listen(tools_list_changed=True, prompts_list_changed=True) as stream:
                return stream.honored.model_dump(exclude_none=True)

        assert desk.portal.call(listen) == {}
