"""Fetched data sets take the form that readers read."""

from __future__ import annotations

from contextlib import contextmanager

from examples.fetch import texts
from examples.fetch.__main__ import main

PLAIN = b"From: a@b.c\nSubject: =?utf-8?q?Caf=C3=A9?= today\nList-Id: x\n\nHello\n  there\n"
HTML = b"Subject: Buy\nContent-Type: text/html\n\n<style>p {}</style><p>Cheap &amp; good</p>\n"
SEVERAL = b"""Subject: Two
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/html

<p>markup</p>
--b
Content-Type: text/plain

the text
--b--
"""


def test_of_a_message_its_subject_and_its_text_are_kept():
    assert texts._seen(PLAIN) == "Café today\n\nHello there\n"
    assert texts._seen(HTML) == "Buy\n\nCheap & good\n"
    assert texts._seen(SEVERAL) == "Two\n\nthe text\n"


def test_a_null_byte_of_a_message_is_left_out():
    assert texts._seen(b"Subject: Buy\n\nnow\0 or never") == "Buy\n\nnow or never\n"


def test_a_message_without_a_header_or_a_text_is_no_error():
    assert texts._seen(b"Content-Type: image/png\n\n\x89PNG") == "\n\n\n"


def test_copies_of_a_message_are_in_one_part(tmp_path, monkeypatch):
    low, high = "0" * 32, "f" * 32
    for group, sums in {"easy-ham-1": (low, high), "spam-2": (low, high)}.items():
        (tmp_path / "package/data" / group).mkdir(parents=True)
        for i, sum_ in enumerate(sums):
            (tmp_path / "package/data" / group / f"0000{i}.{sum_}.txt").write_bytes(PLAIN)

    @contextmanager
    def package(name):
        yield tmp_path / "package"

    monkeypatch.setattr(texts, "npm_package", package)
    texts.spam(tmp_path / "out")
    made = sorted(str(file.relative_to(tmp_path / "out")) for file in (tmp_path / "out").rglob("*.txt"))
    assert made == [
        f"test/ham/easy-ham-1-00000.{low}.txt",
        f"test/spam/spam-2-00000.{low}.txt",
        f"train/ham/easy-ham-1-00001.{high}.txt",
        f"train/spam/spam-2-00001.{high}.txt",
    ]


def test_a_set_that_is_none_is_reported(capsys):
    assert main(["mnits"]) == 2
    assert "there is no set mnits" in capsys.readouterr().err
