"""Logs: to stderr, and to a rotating file if wished; never to stdout."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

from swarm_mcp.model.request import REQUEST_ID

if TYPE_CHECKING:
    from swarm_mcp.config import Settings

FILE_BYTES = 10 * 1024 * 1024
FILES_KEPT = 5


class JsonLines(logging.Formatter):
    """One JSON object for each record."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if REQUEST_ID.get():
            entry["request_id"] = REQUEST_ID.get()
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


class OfRequest(logging.Filter):
    """Writes into each record which request it belongs to."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always keep it."""
        record.of_request = f" [{REQUEST_ID.get()}]" if REQUEST_ID.get() else ""
        return True


def set_up_logs(settings: Settings) -> None:
    """Send logs where the settings want them."""
    outlets: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if settings.log_file is not None:
        settings.log_file.parent.mkdir(parents=True, exist_ok=True)
        outlets.append(
            RotatingFileHandler(settings.log_file, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8")
        )
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s%(of_request)s: %(message)s")
    for outlet in outlets:
        outlet.addFilter(OfRequest())
        outlet.setFormatter(JsonLines() if settings.log_format == "json" else text)
    logging.basicConfig(level=settings.log_level.upper(), handlers=outlets, force=True)
