"""An issuer of OAuth tokens on this machine: its keys, a server that shows them, and tokens right and wrong."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from listening import listening

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from listening import Listener

ISSUER, AUDIENCE = "https://issuer.example", "https://board.example/mcp"


class KeyRing:
    """An issuer's keys."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {}
        self.asked = 0
        ring = self

        class Show(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                ring.asked += 1
                body = json.dumps({"keys": [ring.public(kid) for kid in ring.keys]}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Show)
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"

    def add(self, kid: str) -> None:
        self.keys[kid] = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def public(self, kid: str) -> dict[str, Any]:
        shown = jwt.algorithms.RSAAlgorithm.to_jwk(self.keys[kid].public_key(), as_dict=True)
        return {**shown, "kid": kid, "use": "sig", "alg": "RS256"}

    def token(self, kid: str = "one", *, algorithm: str = "RS256", key: Any = None, **claims: Any) -> str:
        said = {
            "iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "scope": "swarm:director", "exp": int(time.time()) + 600,
            **claims,
        }  # fmt: skip
        kept = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(kept, key if key is not None else self.keys[kid], algorithm, headers={"kid": kid})


@contextmanager
def key_ring() -> Iterator[KeyRing]:
    """An issuer with one key."""
    found = KeyRing()
    found.add("one")
    thread = threading.Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


def wrong_tokens(ring: KeyRing) -> dict[str, str]:
    """Everything that may be wrong with a token."""
    good = ring.token()
    header, payload, signature = good.split(".")
    return {
        "issuer": ring.token(iss="https://evil.example"),
        "audience": ring.token(aud="https://other.example"),
        "no audience": ring.token(aud=None),
        "expired": ring.token(exp=int(time.time()) - 60),
        "no end": ring.token(exp=None),
        "not yet": ring.token(nbf=int(time.time()) + 600),
        "no subject": ring.token(sub=None),
        "no name": ring.token(sub="Ada Lovelace"),
        "reserved": ring.token(sub="operator"),
        "alg none": jwt.encode({"sub": "ada"}, None, "none", headers={"kid": "one"}),
        "symmetric": ring.token(algorithm="HS256", key="x" * 64),
        "another key": ring.token(key=rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        "another kind of key": ring.token(algorithm="ES256", key=ec.generate_private_key(ec.SECP256R1())),
        "unknown key": ring.token().replace(header, jwt.utils.base64url_encode(b'{"alg":"RS256","kid":"x"}').decode()),
        "changed": f"{header}.{payload[:-2]}AA.{signature}",
        "unsigned": f"{header}.{payload}.",
        "long": f"{header}.{'x' * 20_000}.{signature}",
    }


@contextmanager
def with_oauth(board: Path, ring: KeyRing) -> Iterator[Listener]:
    """A server that takes the issuer's tokens."""
    settings = {"ISSUER": ISSUER, "AUDIENCE": AUDIENCE, "JWKS": ring.url}
    with listening(board, **{f"SWARM_OAUTH_{name}": value for name, value in settings.items()}) as listener:
        yield listener
