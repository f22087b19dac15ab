"""Who calls from elsewhere: what a token says of its bearer, and what that lets it do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from swarm_mcp.model.agent import Profile
from swarm_mcp.model.record import Answer, Record


class TokenScope(StrEnum):
    """What a token is good for; each includes what stands before it."""

    WORKER = "worker"
    DIRECTOR = "director"
    OPERATOR = "operator"


ABOVE_WORKER = frozenset({TokenScope.DIRECTOR, TokenScope.OPERATOR})
"""Who may use the tools of directors."""
EVERY_SCOPE = frozenset(TokenScope)
NEEDED: dict[Profile, frozenset[TokenScope]] = {
    Profile.OBSERVER: EVERY_SCOPE,
    Profile.WORKER: EVERY_SCOPE,
    Profile.DIRECTOR: ABOVE_WORKER,
}
"""The scopes with which a profile may be used: any one of them does."""


BEARER = "swarm.bearer"
"""Where the scope of an HTTP request has whoever showed a valid token with it."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whoever showed a valid token."""

    id: str
    """Which credential it was: a token's id, or the issuer and subject of a JWT."""
    agent: str
    """The agent that it stands for."""
    scopes: frozenset[TokenScope]
    expires_at: datetime | None = None

    @property
    def is_operator(self) -> bool:
        """Whether it may act as the person in charge, where that is possible: over plain HTTP, never by a tool."""
        return TokenScope.OPERATOR in self.scopes

    def may(self, needed: frozenset[TokenScope]) -> bool:
        """Whether one of its scopes is among these."""
        return not needed.isdisjoint(self.scopes)


class Token(Record):
    """A token as its owner's list shows it; nothing in it opens anything."""

    id: str
    agent: str
    scope: TokenScope
    state: str
    """valid, expired or revoked."""
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


class TokenCreated(Answer):
    """A new token. Its text is in no other answer and is stored nowhere."""

    token: Token
    secret: str


class TokenList(Answer):
    """The tokens of a project."""

    tokens: list[Token] = []


class TokenRevoked(Answer):
    """A token that opens nothing any more."""

    token: Token
