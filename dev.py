"""Everything that a newcomer needs, with nothing but Python: the demo, the gate, the benchmarks and the bundle.

    python3 dev.py demo     watch scripted agents carry out a plan; further arguments go to `swarm-mcp demo`
    python3 dev.py test     the whole gate; with arguments, pytest alone on what they name
    python3 dev.py bench    the benchmarks; further arguments go to them
    python3 dev.py bundle   the MCP bundle, into dist/ or the folder that is named

Each but the last sets up `.venv` beside this file on first use, and again when pyproject.toml has changed. Only the
standard library is imported here, and nothing is written that an old Python could not parse: it gets a sentence.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PROJECT = ROOT / "pyproject.toml"
VENV = ROOT / ".venv"
STAMP = VENV / "set-up.json"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
OLDEST = (3, 11)
READS_GROUPS = "pip>=25.1"
"""The first pip that knows dependency groups; the one that comes with a Python is often older."""

CHECKS = {
    "lint": ["-m", "ruff", "check", "."],
    "format": ["-m", "ruff", "format", "--check", "."],
    "types": ["-m", "basedpyright", "--pythonpath", str(PYTHON)],
    "layers": ["-c", "from importlinter.cli import lint_imports_command as check; check()"],
}
"""What the gate asks the environment's Python before the tests."""
TESTS = ["-m", "pytest", "-n", "2", "--dist", "worksteal", "--cov", "--cov-report=term", "-rs"]


def demo(arguments: list[str]) -> int:
    """Run the main job: a director and workers, each a process, carry out a plan over MCP."""
    set_up(dev=False)
    return run("-m", "swarm_mcp", "demo", *arguments)


def test(arguments: list[str]) -> int:
    """Run every check, also after one has failed, and the tests last, so that their summary ends the output."""
    set_up(dev=True)
    # A shell lets what it runs in the background ignore Ctrl-C, and so would every process that a test interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if arguments:
        return run("-m", "pytest", *arguments, cwd=ROOT)
    failed = [name for name, words in CHECKS.items() if not passes(name, words)]
    if failed:
        say(f"\nNOT PASSED: {', '.join(failed)}. The tests follow all the same.")
    say("\ntests:")
    return run(*TESTS, cwd=ROOT) or int(bool(failed))


def bench(arguments: list[str]) -> int:
    """Measure this checkout against the floor."""
    set_up(dev=True)
    return run("-m", "benchmarks", *arguments, cwd=ROOT)


def bundle(arguments: list[str]) -> int:
    """Build what Claude Desktop and its like install; this needs no environment."""
    builder = str(ROOT / "packaging" / "mcpb" / "build.py")
    return subprocess.run([sys.executable, builder, *arguments], check=False).returncode


COMMANDS = {"demo": demo, "test": test, "bench": bench, "bundle": bundle}


def passes(name: str, words: list[str]) -> bool:
    """Run one check, and say how long it took."""
    say(f"\n{name}:")
    began = time.monotonic()
    passed = run(*words, cwd=ROOT) == 0
    say(f"{name}: {'passed' if passed else 'NOT PASSED'} after {time.monotonic() - began:.1f} s")
    return passed


def run(*words: str, cwd: Path | None = None) -> int:
    """Run the environment's Python to its end; its exit code."""
    with subprocess.Popen([str(PYTHON), *words], cwd=cwd) as child:
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:  # the child has heard it too, and ends in its own way
                continue


def set_up(*, dev: bool) -> None:
    """Make `.venv` what pyproject.toml says, unless it is that already.

    Args:
        dev: with the tools of the gate; they stay once they are there.

    """
    known = noted()
    dev = dev or bool(known.get("dev"))
    wanted = {"pyproject": hashlib.sha256(PROJECT.read_bytes()).hexdigest(), "place": str(ROOT), "dev": dev}
    if known == wanted and PYTHON.exists():
        return
    say("Setting up .venv, which takes a minute or two and happens once ...")
    if not usable():
        check_venv()
        make("-m", "venv", "--clear", str(VENV), python=sys.executable)
    if dev:
        make("-m", "pip", "install", "--quiet", "--upgrade", READS_GROUPS)
    make("-m", "pip", "install", "--quiet", "--editable", str(ROOT), *(["--group", f"{PROJECT}:dev"] if dev else []))
    STAMP.write_text(json.dumps(wanted), encoding="utf-8")


def noted() -> dict[str, object]:
    """What `.venv` was set up for; empty if nobody knows."""
    try:
        return dict(json.loads(STAMP.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def usable() -> bool:
    """Whether there is a `.venv` with a Python that is new enough, and pip."""
    question = f"import sys, pip; sys.exit(sys.version_info < {OLDEST})"
    try:
        return subprocess.run([str(PYTHON), "-c", question], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def make(*words: str, python: str = str(PYTHON)) -> None:
    """Run a step of the set-up, without which nothing else can be done."""
    if subprocess.run([python, *words], check=False, stdin=subprocess.DEVNULL).returncode:
        sys.exit(f"Setting up failed at: {' '.join([Path(python).name, *words])}\nWhy is said above.")


def check_python() -> None:
    """End with a sentence if this Python is too old."""
    if sys.version_info >= OLDEST:  # an old Python is what this is about
        return
    newer = [name for name in (f"python3.{minor}" for minor in range(19, OLDEST[1] - 1, -1)) if shutil.which(name)]
    hint = f"Try: {newer[0]} dev.py" if newer else "Install a newer one and run this with it."
    wanted, found = ".".join(map(str, OLDEST)), ".".join(map(str, sys.version_info[:3]))
    sys.exit(f"swarm-mcp needs Python {wanted} or newer, and this is {found}. {hint}")


def check_venv() -> None:
    """End with a sentence if this Python cannot make environments: some systems ship it in parts."""
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(
            f"This Python lacks {' and '.join(missing)}, without which no environment can be made. Debian and Ubuntu "
            f"ship that as the package python3.{sys.version_info[1]}-venv; install it and run this again."
        )


def say(*words: str) -> None:
    """Tell whoever watches, before a child writes to the same place."""
    print(*words, flush=True)


def main(arguments: list[str]) -> int:
    """Run the command that was named; without one, tell what there is."""
    check_python()
    if not arguments or arguments[0] not in COMMANDS:
        say(__doc__ or "")
        if arguments in (["-h"], ["--help"]):
            return 0
        print(f"There is no `{arguments[0]}`." if arguments else "Say which of these.", file=sys.stderr)
        return 2
    return COMMANDS[arguments[0]](arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
