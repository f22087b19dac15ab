"""OAuth 2.1, as a resource server: tokens (JWT) of one issuer, for one audience, signed with the keys that it shows.

Only asymmetric signatures count, so that nobody who knows the keys that everybody may know can sign (RFC 8725).
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import jwt

from swarm_mcp.model import ids
from swarm_mcp.model.bearer import Bearer, TokenScope
from swarm_mcp.model.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)

ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
LEEWAY_SECONDS = 30
"""How far the issuer's clock and ours may be apart."""
KEYS_KEPT_SECONDS = 300.0
KEYS_TRUSTED_SECONDS = 3600.0
"""How long keys hold of which the issuer, who cannot be reached, might have withdrawn one."""
ASKED_AGAIN_SECONDS = 10.0
"""A key that we do not know makes us ask the issuer, but not more often: anybody can name keys."""
FETCH_SECONDS = 5.0
LONGEST_TOKEN = 16_384


class Trust(NamedTuple):
    """Whose tokens are taken."""

    issuer: str
    audience: str
    jwks: str
    claim: str
    """Which claim names the agent."""


def checked(trust: Trust) -> Trust:
    """The same, if it can be meant.

    Raises:
        Invalid: it is incomplete, or keys would come over an open line.

    """
    if not trust.issuer or not trust.audience:
        raise Invalid("OAuth needs both SWARM_OAUTH_ISSUER and SWARM_OAUTH_AUDIENCE.")
    parts = urlsplit(trust.jwks)
    is_near = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"}
    if parts.scheme != "https" and not is_near:
        raise Invalid("SWARM_OAUTH_JWKS has to be an https:// address: whoever can change the keys lets anybody in.")
    return trust


class Issuer:
    """Knows the bearers of an issuer's tokens. Everything here blocks and belongs on a worker thread."""

    def __init__(self, trust: Trust, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.trust = trust
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._loaded = self._asked = float("-inf")
        self._loading = threading.Lock()

    def bearer(self, text: str) -> Bearer | None:
        """Whom a token stands for; nobody if anything is wrong with it."""
        if len(text) > LONGEST_TOKEN:
            return None
        try:
            key = self._key(str(jwt.get_unverified_header(text).get("kid", "")))
            if key is None:
                return None
            claims = jwt.decode(
                text,
                key,
                algorithms=ALGORITHMS,
                audience=self.trust.audience,
                issuer=self.trust.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            _log.info("a token was refused: %s", error)
            return None
        return self._bearer(claims)

    def _bearer(self, claims: dict[str, Any]) -> Bearer | None:
        name = claims.get(self.trust.claim)
        if not isinstance(name, str) or not ids.NAME.fullmatch(name) or name in ids.RESERVED:
            # Never folded: two subjects of an issuer must not become one agent.
            _log.warning("a valid token was refused: its %s is no agent's name", self.trust.claim)
            return None
        return Bearer(
            f"{self.trust.issuer}|{claims['sub']}",
            name,
            frozenset(_scopes(claims)),
            datetime.fromtimestamp(claims["exp"], UTC),
        )

    def _key(self, kid: str) -> jwt.PyJWK | None:
        """The key of that id; the issuer is asked when it is new, and from time to time, since it may be withdrawn."""
        now = self._clock()
        is_old = now - self._loaded >= KEYS_KEPT_SECONDS
        # Whoever comes meanwhile goes by the keys that there are, and waits only while there are none.
        if (is_old or kid not in self._keys) and self._loading.acquire(blocking=not self._keys):
            try:
                if now - self._asked >= ASKED_AGAIN_SECONDS:
                    self._asked = now
                    self._load()
            finally:
                self._loading.release()
        return self._keys.get(kid) if now - self._loaded < KEYS_TRUSTED_SECONDS else None

    def _load(self) -> None:
        import httpx2  # noqa: PLC0415 - only those who trust an issuer pay for it

        try:
            found = httpx2.get(self.trust.jwks, timeout=FETCH_SECONDS, follow_redirects=False)
            found.raise_for_status()
            keys = jwt.PyJWKSet.from_dict(found.json()).keys
        except (httpx2.HTTPError, jwt.PyJWTError, ValueError) as error:
            _log.warning("the issuer's keys could not be had: %s", type(error).__name__)
            return
        self._keys = {str(key.key_id or ""): key for key in keys if key.public_key_use in {None, "sig"}}
        self._loaded = self._asked


def _scopes(claims: dict[str, Any]) -> set[TokenScope]:
    """The scopes of ours in a token, plain or as `swarm:worker`."""
    said = claims.get("scope", claims.get("scp", ""))
    words = said.split() if isinstance(said, str) else [str(each) for each in said] if isinstance(said, list) else []
    known = {each.value: each for each in TokenScope}
    return {known[word] for word in (each.removeprefix("swarm:") for each in words) if word in known}
