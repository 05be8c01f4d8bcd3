"""A PostgreSQL server of its own: in a temporary folder, on a free port, with a user who has a password."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Server:
    """A server that runs.

    Attributes:
        folder: Its folder.
        port: Its port on this machine.
        password: The password of its user ``ada``.
        programs: The folder of its programs.
    """

    folder: Path
    port: int
    password: str
    programs: Path

    @property
    def url(self) -> str:
        return f"postgresql://ada:{self.password}@127.0.0.1:{self.port}/sweeps"

    def control(self, *arguments: str) -> None:
        """Runs ``pg_ctl``, as ``restart``."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        _run(self.programs / "pg_ctl", "-D", self.folder / "data", "-l", self.folder / "log", "-o", options, "-w", *arguments)


def programs() -> Path | None:
    """The folder of PostgreSQL's programs, as Debian installs them; None if it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def server() -> Iterator[Server]:
    """Runs a server; as the user postgres if this one is root, which PostgreSQL refuses."""
    where = programs()
    if where is None:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="nnspec-postgresql-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    made = Server(folder, port, secrets.token_urlsafe(12), where)
    started = False
    try:
        # Without flushes to the disk a small cluster is made in a second or two.
        _run(where / "initdb", "-D", folder / "data", "-U", "admin", "--auth-local=trust", "--auth-host=scram-sha-256", "-N")
        made.control("start")
        started = True
        for command in (f"CREATE USER ada PASSWORD '{made.password}'", "CREATE DATABASE sweeps OWNER ada"):
            _run(where / "psql", "-h", folder, "-p", str(port), "-U", "admin", "-d", "postgres", "-q", "-c", command)
        yield made
    finally:
        if started:
            made.control("stop", "-m", "immediate")
        shutil.rmtree(folder, ignore_errors=True)


def _run(program: Path, *arguments: str | Path) -> None:
    command = [str(program), *map(str, arguments)]
    options = {}
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        options = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    done = subprocess.run(
        command, cwd="/tmp", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options
    )  # fmt: skip
    if done.returncode != 0:
        raise SystemExit(f"{program.name} failed: {done.stdout.strip()[-500:]}")
