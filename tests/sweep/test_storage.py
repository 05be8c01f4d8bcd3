"""Storages of sweeps: what is wrong with one is reported, and its password never."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from pathlib import Path

import pytest

from benchmarks import postgresql_server
from nnspec.diagnostics import NnspecError
from nnspec.sweeping import journal_lock, storage
from nnspec.sweeping.journal_lock import local_locks
from nnspec.sweeping.storage import storage_of
from nnspec.sweeping.trial_queue import TrialQueue
from tests.sweep.test_trial_queue import finished, search

pytest.importorskip("optuna")
psycopg = pytest.importorskip("psycopg")


@pytest.fixture(scope="module")
def server():
    if postgresql_server.programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with postgresql_server.server() as made:
        yield made


@pytest.fixture
def journal(tmp_path):
    """A journal with a finished trial."""
    queue = TrialQueue(storage_of(f"journal:{tmp_path / 'j.log'}"), "net", search())
    finished(queue, queue.claim())
    queue.close()
    return tmp_path / "j.log"


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("", "it is empty"),
        ("search.db", "it has no `journal:`"),
        ("journal:", "followed by the path"),
        ("sqlite://", "share a file of SQLite"),
        ("sqlite:///:memory:", "share a file of SQLite"),
        ("mysql://ada:secret@host/db", "no storage `mysql`"),
        ("postgres://ada:secret@host/db", "write `postgresql://"),
        ("postgresql+asyncpg://ada:secret@host/db", "not by `asyncpg`"),
        ("postgresql://ada:sec/ret@host:x/db", "cannot be read"),
    ],
)
def test_what_is_no_storage_is_refused_without_its_password(text, reported):
    with pytest.raises(NnspecError, match="help: ") as found:
        storage_of(text)
    assert reported in str(found.value)
    assert "sec" not in str(found.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ada:s%40cret@h/d",
        "postgresql+psycopg://ada:s%40cret@h/d",
        "postgresql://h/d?user=ada&password=s%40cret",
    ],
)
def test_the_password_of_a_url_is_not_shown(url):
    made = storage_of(url)
    for text in (made.shown, repr(made), made.without_secrets("s@cret s%40cret")):
        assert "cret" not in text
    assert "s%40cret" in made.url


def test_a_server_that_cannot_be_reached_is_reported(monkeypatch):
    monkeypatch.setattr(storage, "_START_SECONDS", 0.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"postgresql://ada:secret@127.0.0.1:{free.getsockname()[1]}/d"
    with pytest.raises(NnspecError, match=r"postgresql://ada:\*\*\*@127.*cannot be used: .*refused[\s\S]*help: check") as found:
        storage_of(url).open()
    assert "secret" not in str(found.value)


def _openings(file):
    """How often this process has a file open."""
    return sum(Path(entry.path).resolve() == file.resolve() for entry in os.scandir("/proc/self/fd"))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are not listed")
def test_a_database_that_could_not_be_opened_at_first_has_no_open_connections(monkeypatch, tmp_path):
    from optuna.storages._rdb.storage import _VersionManager
    from sqlalchemy.exc import IntegrityError

    created, calls = _VersionManager._init_alembic, []

    def once(self):
        calls.append(self)
        if len(calls) == 1:
            raise IntegrityError("INSERT", {}, Exception("another worker was first"))
        return created(self)

    monkeypatch.setattr(_VersionManager, "_init_alembic", once)
    made = storage_of(f"sqlite:///{tmp_path / 's.db'}")
    opened = made.open()
    assert len(calls) == 2
    storage.close(opened)
    assert _openings(tmp_path / "s.db") == 0


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are not listed")
def test_a_study_of_another_search_is_refused_and_its_storage_closed(tmp_path):
    made = storage_of(f"sqlite:///{tmp_path / 's.db'}")
    TrialQueue(made, "net", search(2)).close()
    with pytest.raises(NnspecError, match="is of another spec or other ranges"):
        TrialQueue(made, "net", search(2, seed=7))
    assert _openings(tmp_path / "s.db") == 0


def test_a_wrong_password_and_a_missing_database_are_reported_at_once(server):
    begun = time.monotonic()
    with pytest.raises(NnspecError, match=r"password authentication failed[\s\S]*help: correct the password"):
        storage_of(server.url.replace(server.password, "wrong-secret")).open()
    with pytest.raises(NnspecError, match=r'database "other" does not exist[\s\S]*help: create the database'):
        storage_of(server.url.replace("/sweeps", "/other")).open()
    assert time.monotonic() - begun < 8


def test_workers_that_start_together_create_the_tables_of_postgresql_once_and_run_each_trial_once(server):
    made, taken, problems = storage_of(server.url), [], []

    def work():
        try:
            queue = TrialQueue(made, "together", search(12))
            while (claim := queue.claim()) is not None:
                taken.append(claim.number)
                finished(queue, claim)
            queue.close()
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert sorted(taken) == list(range(1, 13))


def test_a_server_that_restarts_is_waited_for(server):
    queue = TrialQueue(storage_of(server.url), "restarted", search(1))
    claim = queue.claim()
    server.control("stop", "-m", "immediate")
    starts = threading.Timer(1, lambda: server.control("start"))
    starts.start()
    queue.report(claim, 1, 0.5)
    queue.end(claim, "finished", 0.5)
    starts.join()
    assert [(trial.value, trial.attempts) for trial in queue.trials()] == [(0.5, 1)]
    queue.close()


def test_half_a_line_of_a_killed_process_is_removed_before_the_next_is_written(journal):
    before = journal.read_bytes()
    journal.write_bytes(before + b'{"op_code":8,"worker_id":"x","tri')
    queue = TrialQueue(storage_of(f"journal:{journal}"), "net", search())
    assert queue.claim().number == 2
    queue.close()
    assert journal.read_bytes().startswith(before + b'{"op_code":4')


def test_a_damaged_journal_is_reported_with_its_line(journal):
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:3], b"\0\0\0\n", *lines[4:]]))
    with pytest.raises(NnspecError, match=r"j\.log is damaged at line 4\n  = help: remove this line and those after it"):
        TrialQueue(storage_of(f"journal:{journal}"), "net", search())


def test_a_journal_that_is_damaged_during_a_sweep_is_reported(journal):
    queue = TrialQueue(storage_of(f"journal:{journal}"), "net", search())
    with journal.open("ab") as opened:
        opened.write(b"{}\n{}\n")
    with pytest.raises(NnspecError, match="is damaged at line"):
        queue.claim()
    queue.close()


@pytest.mark.parametrize("content", ["nnspec: 1", "nnspec: 1\nname: net\n", '{"op_code": 1}\n'])
def test_a_file_that_is_no_journal_is_left_alone(tmp_path, content):
    file = tmp_path / "net.nnspec.yaml"
    file.write_text(content)
    with pytest.raises(NnspecError, match="is no journal of a sweep"):
        storage_of(f"journal:{file}").open()
    assert file.read_text() == content


def test_a_file_that_is_no_database_is_reported(tmp_path):
    (tmp_path / "s.db").write_text("no database" * 1000)
    with pytest.raises(NnspecError, match=r"sqlite:///.* cannot be used: file is not a database"):
        storage_of(f"sqlite:///{tmp_path / 's.db'}").open()


@pytest.mark.parametrize("kind", ["journal:", "sqlite:///"])
def test_a_storage_in_no_folder_is_reported(tmp_path, kind):
    with pytest.raises(NnspecError, match=r"there is no folder .*missing"):
        storage_of(f"{kind}{tmp_path / 'missing/file'}").open()
    with pytest.raises(NnspecError, match="is a folder"):
        storage_of(f"{kind}{tmp_path}").open()


def test_a_file_system_without_locks_is_reported(journal, monkeypatch):
    def refused(number, kind):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(journal_lock.fcntl, "flock", refused)
    queue = TrialQueue(storage_of(f"journal:{journal}"), "net", search())
    with pytest.raises(NnspecError, match=r"without file locks that all workers share \(No locks available\)[\s\S]*help: use"):
        queue.claim()
    queue.close()


def test_locks_that_other_machines_do_not_see_are_noticed():
    mounts = (
        "/dev/sda / ext4 rw 0 0\nserver:/a /data nfs4 rw,vers=4.2,local_lock=none 0 0\nserver:/b /data/b nfs rw,nolock 0 0\n"
    )
    assert local_locks(Path("/home/j.log"), mounts) is None
    assert local_locks(Path("/data/j.log"), mounts) is None
    assert local_locks(Path("/data/b/j.log"), mounts) == "nolock"
