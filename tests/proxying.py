"""A real nginx in front of servers, with the project's own configuration."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIGURATION = Path(__file__).resolve().parents[1] / "deploy" / "nginx.conf"
NAME = "localhost"


@dataclass(frozen=True)
class Proxy:
    """An nginx that runs."""

    port: int
    trust: ssl.SSLContext
    log: Path

    @property
    def url(self) -> str:
        return f"https://{NAME}:{self.port}"


def program() -> str:
    """Where nginx is; the test is skipped where it is not."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip("nginx is not installed")
    return found


def written(folder: Path, ports: list[int], port: int) -> Path:
    """The project's configuration with other places and nothing else, and a certificate for it."""
    certificate(folder)
    text = CONFIGURATION.read_text(encoding="utf-8")
    for number in (1, 2, 3):
        text = text.replace(f"server board-{number}:8765", f"server 127.0.0.1:{ports[number - 1]}")
    text = text.replace("listen 80;", f"listen 127.0.0.1:{free_port()};").replace("board.example.com", NAME)
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;").replace("/etc/nginx/tls", str(folder))
    text = text.replace("/run/nginx.pid", str(folder / "nginx.pid")).replace("/dev/stdout", str(folder / "access.log"))
    for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"):  # where the package keeps them, only root may
        text = text.replace("http {\n", f"http {{\n    {kind}_temp_path {folder / kind};\n", 1)
    found = folder / "nginx.conf"
    found.write_text(text, encoding="utf-8")
    return found


@contextmanager
def proxied(folder: Path, ports: list[int]) -> Iterator[Proxy]:
    """Run nginx in front of servers on these ports."""
    port = free_port()
    configuration = written(folder, ports, port)
    errors = folder / "nginx.log"
    with errors.open("wb") as log:
        process = subprocess.Popen(
            [program(), "-p", str(folder), "-c", str(configuration), "-e", "stderr", "-g", "daemon off;"],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        while process.poll() is None and not answers(port):
            threading.Event().wait(0.02)
        assert process.poll() is None, errors.read_text()
        yield Proxy(port, ssl.create_default_context(cafile=str(folder / "fullchain.pem")), folder / "access.log")
    finally:
        process.terminate()
        process.wait()


def answers(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def servers_of(access: Path) -> set[str]:
    """Which servers the proxy has asked."""
    return set(re.findall(r"by (127\.0\.0\.1:\d+)", access.read_text()))


def certificate(folder: Path) -> None:
    """A certificate for this machine, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )  # fmt: skip
