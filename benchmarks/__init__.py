"""Measurements of swarm-mcp against the stock echo server: `python -m benchmarks`."""

from __future__ import annotations
