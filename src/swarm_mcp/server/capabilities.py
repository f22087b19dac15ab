"""What the server says that it can do: of the lists, only that of resources ever changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp.server.lowlevel import NotificationOptions, Server

if TYPE_CHECKING:
    from mcp_types import ServerCapabilities


class BoardServer(Server[Any]):
    """The SDK's server, which would say that every list changes, or none."""

    def get_capabilities(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
        *,
        protocol_version: str | None = None,
    ) -> ServerCapabilities:
        """Say what a client of this version can count on."""
        _ = notification_options
        found = super().get_capabilities(
            NotificationOptions(resources_changed=True),
            experimental_capabilities,
            extensions,
            protocol_version=protocol_version,
        )
        if found.tools is not None:
            found.tools.list_changed = False
        if found.prompts is not None:
            found.prompts.list_changed = False
        return found
