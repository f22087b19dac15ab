"""Settings: command line over environment over `.env` over default. Built once, by the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from swarm_mcp.model.agent import Profile

Transport = Literal["stdio", "http", "sse", "all"]
LogLevel = Literal["debug", "info", "warning", "error"]


def default_database() -> str:
    """`swarm.db` in the user's data folder."""
    return str(user_data_path("swarm-mcp") / "swarm.db")


class Settings(BaseSettings):
    """What can be set from outside; every field is `SWARM_` and its name in the environment."""

    model_config = SettingsConfigDict(
        env_prefix="SWARM_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, case_sensitive=False
    )

    database: str = Field(default_factory=default_database)
    """A path, or a SQLAlchemy URL."""
    project: str = "default"
    agent: str = ""
    """Who acts through this connection; empty names it after the client."""
    profile: Profile = Profile.DIRECTOR
    transport: Transport = "stdio"
    host: str = "127.0.0.1"
    port: int = Field(default=8765, ge=0, le=65535)
    allowed_hosts: str = ""
    """Names, with commas between them, by which an HTTP server is called besides its address."""
    allowed_origins: str = ""
    """Origins, with commas between them, whose pages may call it besides its own."""
    oauth_issuer: str = ""
    oauth_audience: str = ""
    oauth_jwks: str = ""
    """Where the issuer's keys are; empty means `/.well-known/jwks.json` below the issuer."""
    oauth_claim: str = "sub"
    """Which claim of a token names the agent."""
    log_level: LogLevel = "warning"
    log_file: Path | None = None
    log_format: Literal["text", "json"] = "text"
