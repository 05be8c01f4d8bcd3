"""Where workers share the trials of a sweep: a journal, or a database."""

from __future__ import annotations

import json
import random
import re
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from nnspec.diagnostics import NnspecError
from nnspec.extras import installed, require
from nnspec.sweeping.journal_lock import JournalLock, has_locks, local_locks, without_locks

T = TypeVar("T")

_HELP = "  = help: a storage is `journal:FILE`, `sqlite:///FILE` or `postgresql://USER@HOST/DATABASE`"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_DRIVERS = ("psycopg", "psycopg2")
_SECRET = ("password", "sslpassword")
_OUTAGE_SECONDS = 60.0
"""For how long a storage that cannot be reached is tried again."""

_START_SECONDS = 10.0
"""The same for the first connection, at which tables are created; workers that start together get in each other's way."""


@dataclass(frozen=True)
class Storage:
    """A storage.

    Attributes:
        kind: ``journal``, ``sqlite`` or ``postgresql``.
        file: The file of a journal or of SQLite.
        url: The complete URL, which may contain a password. It must not be printed or written.
        shown: The URL without password, to print and to write.
    """

    kind: str
    file: Path | None
    url: str = field(repr=False)
    shown: str

    def without_secrets(self, text: str) -> str:
        """Return a text without the password of the URL."""
        for secret in _secrets(self.url):
            text = text.replace(secret, "***")
        return text

    def open(self) -> Any:
        """Open the storage as one of Optuna, and create what it needs.

        Raises:
            NnspecError: If it cannot be reached, is damaged, or is on a file system without locks.
        """
        return patiently(self, self._open, seconds=_START_SECONDS if self.kind != "journal" else 0)

    def _open(self) -> Any:
        import optuna
        from optuna.storages.journal import JournalFileBackend

        if self.file is not None:
            _check_file(self)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self.kind == "journal":
                assert self.file is not None
                lock: Any = JournalLock(self.file) if has_locks() else None
                return optuna.storages.JournalStorage(JournalFileBackend(str(self.file), lock_obj=lock))
            return _open_database(self)


def close(opened: Any) -> None:
    """Close the connections of an open storage.

    Args:
        opened: What `Storage.open` returned.
    """
    if (database := getattr(opened, "_backend", None)) is not None:
        _dispose(database)


def _dispose(database: Any) -> None:
    with suppress(Exception):
        database.remove_session()
    if (engine := getattr(database, "engine", None)) is not None:
        engine.dispose()


def storage_of(text: str) -> Storage:
    """Parse the value of ``--storage``.

    Raises:
        NnspecError: If it is no storage.

    Example:
        >>> storage_of("postgresql://ada:secret@db.example/sweeps").shown
        'postgresql://ada:***@db.example/sweeps'
    """
    scheme = _SCHEME.match(text)
    if scheme is None:
        what = "it has no `journal:`, `sqlite:` or `postgresql:`" if text else "it is empty"
        raise NnspecError(f"this is no storage: {what}\n{_HELP}")
    kind, _, driver = scheme[1].partition("+")
    if kind == "journal":
        file = text.removeprefix("journal:")
        if not file or driver:
            raise NnspecError(f"this is no storage: `journal:` is followed by the path of a file\n{_HELP}")
        return Storage("journal", Path(file), text, text)
    if kind == "sqlite":
        file = text.partition(":///")[2].partition("?")[0]
        if not text.startswith("sqlite:///") or file in ("", ":memory:"):
            raise NnspecError(f"workers share a file of SQLite: `sqlite:///search.db`\n{_HELP}")
        return Storage("sqlite", Path(file), text, f"sqlite:///{file}")
    if kind != "postgresql":
        help = "  = help: write `postgresql://…`" if kind == "postgres" else _HELP
        raise NnspecError(f"sweeps have no storage `{kind}`\n{help}")
    return _postgresql(text, driver)


def _postgresql(text: str, driver: str) -> Storage:
    require("sweep")
    from sqlalchemy import make_url

    if driver not in ("", *_DRIVERS):
        raise NnspecError(f"sweeps use PostgreSQL by {' or '.join(_DRIVERS)}, not by `{driver}`\n{_HELP}")
    try:
        url = make_url(text)
    except Exception:  # its message may contain the URL
        raise NnspecError(
            "the URL of the database cannot be read\n"
            "  = help: write `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`; in the password, write `@` as `%40`, `/` as `%2F`"
        ) from None
    driver = driver or next((name for name in _DRIVERS if installed(name)), "")
    if not installed(driver or _DRIVERS[0]):
        require("postgresql")
        raise NnspecError(f"this requires {driver}, which is not installed\n  = help: write `postgresql://…`")
    complete = url.set(drivername=f"postgresql+{driver}").render_as_string(hide_password=False)
    shown = url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)
    return Storage("postgresql", None, complete, shown)


def _secrets(url: str) -> list[str]:
    """The passwords in a URL, in each way in which a message may contain them, the longest first."""
    found = re.findall(r"^[^:]+://[^/@:]*:(.*)@", url) if "://" in url else []
    found += [value for name in _SECRET for value in re.findall(rf"[?&]{name}=([^&]*)", url)]
    forms = {form for secret in found for form in (secret, unquote(secret), quote(unquote(secret), safe="")) if form}
    return sorted(forms, key=len, reverse=True)


def _check_file(storage: Storage) -> None:
    """Check the file of a journal or of SQLite before it is opened, which would create it."""
    file = storage.file
    assert file is not None
    if not file.parent.is_dir():
        raise NnspecError(f"there is no folder {file.parent} for the storage {storage.shown}\n  = help: create it")
    if file.is_dir():
        raise NnspecError(f"{file} is a folder; a storage is a file")
    if storage.kind != "journal":
        return
    mounts = Path("/proc/mounts")
    if mounts.is_file() and (option := local_locks(file.resolve(), mounts.read_text("utf-8", "replace"))):
        raise without_locks(file, f"it is mounted with `{option}`")
    if file.exists() and file.stat().st_size:
        with file.open("rb") as opened:
            if not _is_record(opened.readline()):
                raise NnspecError(f"{file} is no journal of a sweep, or is damaged at line 1\n  = help: name another file")


def _open_database(storage: Storage) -> Any:
    import optuna

    arguments: dict[str, Any]
    if storage.kind == "postgresql":
        # Idle connections may be cut; each is tried before it is used.
        arguments = {"pool_pre_ping": True, "connect_args": {"connect_timeout": 10}}
    else:
        arguments = {"connect_args": {"timeout": _OUTAGE_SECONDS}}
    # Created in two steps: if the second fails, the connections that it made are closed.
    opened = optuna.storages.RDBStorage.__new__(optuna.storages.RDBStorage)
    try:
        optuna.storages.RDBStorage.__init__(opened, storage.url, engine_kwargs=arguments)
        if storage.kind == "sqlite":
            _lock_transactions(opened.engine)
    except BaseException:
        _dispose(opened)
        raise
    return optuna.storages.get_storage(opened)


def _lock_transactions(engine: Any) -> None:
    """Lock the file of SQLite for the whole of each transaction.

    Python's module locks it at the first write only, so that two workers could both read that a trial waits, and both take it.
    """
    from sqlalchemy import event

    def connected(connection: Any, record: object) -> None:
        del record
        connection.isolation_level = None  # no transactions of Python's module

    def began(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", began)
    engine.dispose()  # connections that are open do not have the first setting


def patiently(storage: Storage, action: Callable[[], T], *, seconds: float = _OUTAGE_SECONDS) -> T:
    """Use a storage, again if it cannot be reached for a moment.

    Args:
        storage: The storage.
        action: Uses it. It may be called several times.
        seconds: For how long it is tried.

    Raises:
        NnspecError: If the storage cannot be reached, or is damaged.
    """
    last = time.monotonic() + seconds
    while True:
        try:
            return action()
        except NnspecError:
            raise
        except Exception as error:
            known = _known(storage, error)
            if known is None:
                raise
            message, passes = known
            if not passes or time.monotonic() >= last:
                raise NnspecError(storage.without_secrets(message)) from None
        time.sleep(random.uniform(0.1, 0.6))


def _known(storage: Storage, error: Exception) -> tuple[str, bool] | None:
    """The message of an error of the storage, and whether it may pass; None for another error."""
    import optuna

    if isinstance(error, optuna.exceptions.UpdateFinishedTrialError | optuna.exceptions.DuplicatedStudyError):
        return None
    if isinstance(error, OSError):
        return f"the storage {storage.shown} cannot be used: {error.strerror or error}", True
    if storage.kind == "journal":
        if isinstance(error, ValueError | LookupError | TypeError | AssertionError | AttributeError):
            return _damage(storage), False
        return None
    from sqlalchemy import exc

    cause = error.__cause__ if isinstance(error, optuna.exceptions.StorageInternalError) else error
    if isinstance(cause, exc.SQLAlchemyError):
        text = str(getattr(cause, "orig", None) or cause)
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        reason = "; ".join(lines[:3]) or type(cause).__name__
        # Two workers that create the tables at the same moment, and all that a server or a lock may cause, passes.
        passes = isinstance(cause, exc.OperationalError | exc.InterfaceError | exc.IntegrityError | exc.ProgrammingError)
        if isinstance(cause, exc.OperationalError) and re.search(r"authentication|does not exist|no pg_hba|readonly", text):
            passes = False
        return f"the storage {storage.shown} cannot be used: {reason}\n{_database_help(storage, text)}", passes
    if isinstance(error, RuntimeError) and "table schema" in str(error):
        return (
            f"the storage {storage.shown} was created by another version of Optuna\n"
            "  = help: use that version, or another database",
            False,
        )
    return None


def _database_help(storage: Storage, text: str) -> str:
    if storage.kind == "sqlite":
        return "  = help: name another file"
    if "password" in text:
        return "  = help: correct the password, in the URL, in the variable PGPASSWORD, or in ~/.pgpass"
    if "database" in text and "does not exist" in text:
        return "  = help: create the database: `createdb NAME`"
    return "  = help: check that the server runs and that this machine may connect: `pg_isready -h HOST -p PORT`"


def _damage(storage: Storage) -> str:
    assert storage.file is not None
    wrong = 0
    with storage.file.open("rb") as opened:
        for number, line in enumerate(opened, 1):
            if line.endswith(b"\n") and not _is_record(line):
                wrong = number
                break
    where = f" at line {wrong}" if wrong else ": its records contradict each other"
    help = "remove this line and those after it; the trials in them are lost" if wrong else "name another file"
    return f"the journal {storage.file} is damaged{where}\n  = help: {help}"


def _is_record(line: bytes) -> bool:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and type(found.get("op_code")) is int and isinstance(found.get("worker_id"), str)
