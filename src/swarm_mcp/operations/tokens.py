"""Tokens: how the operator lets an agent in from elsewhere, and how it is known again.

A token is `swarm_<id>_<secret>`. Its id finds the row, its secret is 256 random bits of which only the SHA-256 is
stored: what is that random cannot be guessed, so that a slow digest would only slow down those who may come in.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from swarm_mcp.model import ids
from swarm_mcp.model.bearer import Bearer, Token, TokenCreated, TokenList, TokenRevoked, TokenScope
from swarm_mcp.model.errors import Invalid, NotAllowed, NotFound
from swarm_mcp.model.lifecycle import choose
from swarm_mcp.operations.moves import record
from swarm_mcp.repository import tokens

if TYPE_CHECKING:
    from swarm_mcp.repository.database import Transaction
    from swarm_mcp.repository.statement import Row

SHAPE = re.compile(r"swarm_([a-z0-9]{8})_([A-Za-z0-9_-]{43})")
USE_NOTED = timedelta(minutes=1)
"""How often the use of a token is written down at most."""
LONGEST = timedelta(days=3650)
NOBODY = "0" * 64
"""A digest that no secret has: what a token that does not exist is compared with."""


def create_token(
    db: Transaction, agent: str, *, scope: str, valid_for: timedelta | None = None, told: str = ""
) -> TokenCreated:
    """Make a token for an agent of this project.

    Args:
        db: the transaction; only the operator's.
        agent: who will act with it; need not be on the board yet.
        scope: worker, director or operator.
        valid_for: until when; for ever if not said.
        told: how the caller wrote the duration, for the sentence.

    Raises:
        NotAllowed: somebody else than the operator asks.
        Invalid: a name, a scope or a duration that cannot be.

    """
    _require_operator(db)
    name = ids.fold_name(agent)
    chosen = choose(scope, TokenScope, "scope")
    if valid_for is not None and not timedelta(0) < valid_for <= LONGEST:
        raise Invalid("A token is valid for at most ten years, and for longer than nothing.")
    token_id, secret = ids.new_task_id(), secrets.token_urlsafe(32)
    expires_at = db.now + valid_for if valid_for is not None else None
    tokens.insert_token(db, token_id, digest=_digest(secret), agent=name, scope=chosen.value, expires_at=expires_at)
    record(db, "token_created", None, {"token": token_id, "agent": name, "scope": chosen.value})
    until = f", valid for {told or valid_for}" if valid_for is not None else ""
    return TokenCreated(
        message=f"Token {token_id} lets {name} in as {chosen.value}{until}. It is shown this once.",
        token=_token(db, tokens.find_token(db, token_id)),
        secret=f"swarm_{token_id}_{secret}",
    )


def list_tokens(db: Transaction) -> TokenList:
    """The tokens of this project, valid or not; only the operator sees them."""
    _require_operator(db)
    found = [_token(db, row) for row in tokens.tokens(db)]
    valid = sum(each.state == "valid" for each in found)
    count = f"{len(found)} {'token' if len(found) == 1 else 'tokens'}"
    return TokenList(message=f"{count}, {valid} of them valid." if found else "No tokens.", tokens=found)


def revoke_token(db: Transaction, token_id: str) -> TokenRevoked:
    """End a token; its bearer is refused from now on.

    Raises:
        NotFound: this project has none of that id.

    """
    _require_operator(db)
    row = tokens.find_token(db, token_id.strip().lower())
    if row is None:
        raise NotFound(f"No token `{token_id[:40]}`; swarm-mcp token list names them.")
    if row.revoked_at is None:
        tokens.revoke(db, row.id)
        record(db, "token_revoked", None, {"token": row.id, "agent": row.agent})
    words = f"Token {row.id} of {row.agent} opens nothing any more."
    return TokenRevoked(message=words, token=_token(db, tokens.find_token(db, row.id)))


def bearer_of(db: Transaction, text: str) -> tuple[Bearer | None, bool]:
    """Whom a token stands for, and whether its use should be noted.

    Nobody if it is not ours, of another project, expired or revoked: nothing tells these apart, the time that it
    takes included.
    """
    shape = SHAPE.fullmatch(text)
    token_id, secret = shape.groups() if shape is not None else ("", "")
    row = tokens.find_token(db, token_id)
    is_it = hmac.compare_digest(_digest(secret), row.digest if row is not None else NOBODY)
    if row is None or not is_it or _state(db, row) != "valid":
        return None, False
    bearer = Bearer(row.id, row.agent, frozenset({TokenScope(row.scope)}), row.expires_at)
    return bearer, row.last_used_at is None or db.now - row.last_used_at >= USE_NOTED


def note_use(db: Transaction, token_id: str) -> None:
    """Write down that a token was used just now."""
    tokens.mark_used(db, token_id)


def are_demanded(db: Transaction) -> bool:
    """Whether callers from elsewhere have to show a token: as soon as there is one.

    A token that has expired or was revoked counts too: the end of the last one must not open the door.
    """
    return tokens.is_there_any(db)


def is_anybody_let_in(db: Transaction) -> bool:
    """Whether some token of this project is valid now."""
    return any(_state(db, row) == "valid" for row in tokens.tokens(db))


def _require_operator(db: Transaction) -> None:
    if not db.actor.is_operator:
        raise NotAllowed("Tokens are the operator's.")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _state(db: Transaction, row: Row) -> str:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= db.now else "valid"


def _token(db: Transaction, row: Row) -> Token:
    return Token(
        id=row.id,
        agent=row.agent,
        scope=TokenScope(row.scope),
        state=_state(db, row),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
