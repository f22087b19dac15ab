"""Measurements of swarm-mcp against the SDK's stock echo server, the floor.

`python -m benchmarks` (from the top of a checkout, with the development dependencies) makes them
all and prints the goals beside them; it takes about four minutes. `--only calls start` makes some,
`--sizes 100 1000` takes smaller boards, `--json PATH` writes everything down. `BENCH_STDERR=1` shows
what the servers say. `--only million` makes a board of a million tasks on each of the databases, which
takes minutes and gigabytes (`--tasks`, `--database` and `--disk` choose how large and where).
"""

from __future__ import annotations
