"""Where an MCP bundle begins: serves the board over stdio, from the sources beside this file.

Settings come as `SWARM_…` in the environment, from what the host asked its user. A host that leaves a placeholder as it
is, because nothing was entered, means the default.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

for name, value in list(os.environ.items()):
    if name.startswith("SWARM_") and value.startswith("${"):
        del os.environ[name]
os.environ["SWARM_TRANSPORT"] = "stdio"
sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))
sys.argv[1:] = ["serve"]

from swarm_mcp.__main__ import main  # noqa: E402 - it is found only now

main()
