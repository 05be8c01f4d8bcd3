"""Run folders are compared with their digests, and restored where they can be."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks import flips
from benchmarks.resume import differences
from nnspec.diagnostics import NnspecError
from nnspec.spec import load
from nnspec.training import Run, evaluate, resume, train
from nnspec.training.loop.progress import Quiet
from nnspec.training.run.checkpoints import Checkpoints, DamagedCheckpoint, read_checkpoint
from nnspec.training.run.digests import Altered, info_digest, read_sealed, sealed
from nnspec.training.run.files import METRICS, TRANSFORMS, WEIGHTS

pytest.importorskip("keras")


@pytest.fixture(scope="module")
def projects(tmp_path_factory) -> dict[str, Path]:
    return flips.project(tmp_path_factory.mktemp("flips"))


@pytest.fixture
def finished(projects, tmp_path) -> Path:
    return Path(shutil.copytree(projects["finished"], tmp_path / "copy")) / "run"


@pytest.fixture
def interrupted(projects, tmp_path) -> Path:
    return Path(shutil.copytree(projects["interrupted"], tmp_path / "cut")) / "run"


class Saying(Quiet):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def print(self, text: str) -> None:
        self.lines.append(text)


def flip(file: Path, at: float = 0.5) -> None:
    content = bytearray(file.read_bytes())
    content[int(at * len(content))] ^= 4
    file.write_bytes(content)


# --- found ----------------------------------------------------------------------------------------------------------------


def test_every_command_names_the_file_of_a_flipped_bit_or_has_the_same_result(projects):
    places = flips.drawn(projects, 6, seed=11)
    tallies = flips.flip(projects, places, ["resume", "start"])
    assert [text for by_command in tallies.values() for tally in by_command.values() for text in tally.missed] == []


def test_every_bit_of_what_is_not_an_array_is_covered(finished):
    rng = np.random.default_rng(0)
    for name, read in {
        "run.json": lambda: Run.open(finished),
        TRANSFORMS: lambda: Run.open(finished).transforms(),
        METRICS: lambda: Run.open(finished).metrics(),
        WEIGHTS: lambda: Run.open(finished).weights(),
        "spec.yaml": lambda: Run.open(finished).spec,
    }.items():
        file = finished / name
        before, whole = file.read_bytes(), read()
        for _ in range(60):
            content = bytearray(before)
            content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
            file.write_bytes(content)
            try:
                found = read()
            except NnspecError as error:
                assert name in str(error)
                continue
            # Layout that means nothing: an indent, a quote of another kind.
            same = (
                found.info == whole.info if name == "run.json" else found.hash == whole.hash if name == "spec.yaml" else False
            )
            assert same, (name, bytes(content))
        file.write_bytes(before)


def test_a_changed_array_is_named(finished):
    file = finished / WEIGHTS
    content = bytearray(file.read_bytes())
    content[-2] ^= 1
    file.write_bytes(content)
    with pytest.raises(NnspecError, match="the array `kind/kernel` differs from its digest"):
        Run.open(finished).weights()


def test_weights_of_another_run_are_not_taken_for_its_own(finished, interrupted):
    other, _ = sealed({name: array + 1 for name, array in Run.open(finished).weights().items()}, {"epoch": 1})
    (finished / WEIGHTS).write_bytes(other)
    with pytest.raises(NnspecError, match=r"weights\.safetensors was changed: its digest is not the one in run\.json"):
        Run.open(finished).weights()


def test_a_checkpoint_without_digests_is_refused_unless_it_is_an_old_one(interrupted, tmp_path):
    from safetensors.numpy import save

    newest = Checkpoints(interrupted / "checkpoints").files()[-1]
    sealed_ = read_sealed(newest)
    for version, readable in (("1", True), ("2", False)):
        metadata = {"format": version, "state": json.dumps(sealed_.metadata["state"])}
        newest.write_bytes(save(sealed_.arrays, metadata))
        if readable:
            assert read_checkpoint(newest).position.in_epoch
        else:
            with pytest.raises(DamagedCheckpoint, match="it has no digests"):
                read_checkpoint(newest)


def test_the_same_arrays_are_the_same_bytes(tmp_path):
    arrays = {"b": np.arange(3.0), "a": np.zeros((0, 2), np.float32), "c": np.array(True)}
    contents = {sealed(arrays, {"epoch": 1, "more": "é"})[0] for _ in range(8)}
    assert len(contents) == 1
    (tmp_path / "w.safetensors").write_bytes(contents.pop())
    found = read_sealed(tmp_path / "w.safetensors", required=True)
    assert {name: array.tolist() for name, array in found.arrays.items()} == {n: a.tolist() for n, a in arrays.items()}
    flip(tmp_path / "w.safetensors", 0.2)
    with pytest.raises((Altered, ValueError, Exception)):
        read_sealed(tmp_path / "w.safetensors", required=True)


# --- edited by hand -------------------------------------------------------------------------------------------------------


def edit(run: Path, **changed) -> None:
    info = json.loads((run / "run.json").read_text("utf-8"))
    (run / "run.json").write_text(json.dumps({**info, **changed}), encoding="utf-8")


def test_an_edited_run_json_is_refused_unless_its_digest_is_null_or_only_notes_changed(finished):
    edit(finished, notes={"author": "me", "tried": [1, 2]})
    assert Run.open(finished).info["notes"]["author"] == "me"
    edit(finished, seed=4)
    with pytest.raises(NnspecError, match=r"run\.json was changed: .*\n.*`notes`.*\n?.*null"):
        Run.open(finished)
    edit(finished, digest=None)
    run = Run.open(finished)
    assert run.info["seed"] == 4
    assert run.write_info().info["digest"] == info_digest(run.info)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"epochs": -1}, "`epochs` is -1, but must be at least 0"),
        ({"epochs": "4"}, '`epochs` is "4", but must be an integer'),
        ({"best": 3}, "`best` is 3, but must be a JSON object"),
        ({"best": {"monitor": "loss", "epoch": 1, "figures": {}}}, "`best` has no `value`"),
        ({"status": "done"}, '`status` is "done", but must be one of `running`, `finished`, `stopped early`'),
        ({"networks": []}, "`networks` is [], but must be a list of at least 1"),
        ({"machine": {"threads": {"intra": "two"}}}, '`machine.threads.intra` is "two", but must be an integer'),
        ({"data": {"recipe": {"inputs": {"x": {"transforms": []}}}}}, "`data.recipe.inputs.x` has no `columns`"),
        ({"warnings": ["w"]}, '`warnings.0` is "w", but must be a JSON object'),
    ],
)
def test_a_run_json_of_other_values_is_refused_in_plain_words(finished, change, words):
    edit(finished, digest=None, **change)
    with pytest.raises(NnspecError) as caught:
        Run.open(finished)
    assert f"run.json is damaged: {words}" in str(caught.value)
    assert "= help: " in str(caught.value)
    assert not any(word in str(caught.value) for word in ("Input", "_Best", "instance", "dictionary"))


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '{"a": 1}', '{"nbformat": 4, "status": 1}', "\x00"])
def test_a_foreign_run_json_is_refused_in_plain_words(tmp_path, content):
    (tmp_path / "run.json").write_text(content, encoding="utf-8")
    with pytest.raises(NnspecError, match=r"run\.json is damaged.*\n  = help: name a folder that `nnspec train` created"):
        Run.open(tmp_path)


@pytest.mark.parametrize(
    "change", [{"epochs": -1}, {"best": [1]}, {"machine": 3}, {"checkpoints": {"keep": 0}}, {"warnings": [1]}]
)
def test_an_accepted_run_json_is_still_checked(finished, change):
    edit(finished, digest=None, **change)
    with pytest.raises(NnspecError, match=f"is damaged: `{next(iter(change))}"):
        Run.open(finished)


def test_an_edited_log_is_named_with_the_command_that_restores_it(finished):
    text = (finished / METRICS).read_text()
    (finished / METRICS).write_text(text.replace('"epoch": 2', '"epoch": 2, "note": 1'))
    with pytest.raises(NnspecError, match=r"metrics\.jsonl was changed.*\n.*nnspec train --resume"):
        Run.open(finished).metrics()


@pytest.mark.parametrize("name", [METRICS, TRANSFORMS, WEIGHTS])
@pytest.mark.parametrize("lost", [False, True], ids=["flipped", "lost"])
def test_resume_restores_what_a_finished_run_lost(finished, name, lost):
    before = {n: (finished / n).read_bytes() for n in (METRICS, TRANSFORMS, WEIGHTS)}
    if lost:
        (finished / name).unlink()
    else:
        flip(finished / name)
    saying = Saying()
    run = resume(finished, progress=saying)
    assert name in saying.lines[0]
    assert "restoring it" in saying.lines[0]
    assert {n: (finished / n).read_bytes() for n in before} == before
    assert run.status == "finished"
    assert run.damaged() == []


def test_a_finished_run_without_checkpoints_is_not_trained_anew_to_restore_it(finished):
    shutil.rmtree(finished / "checkpoints")
    flip(finished / WEIGHTS, 0.9)
    before = (finished / WEIGHTS).read_bytes()
    with pytest.raises(NnspecError, match="has no checkpoint to restore it from"):
        resume(finished, progress=Quiet())
    assert (finished / WEIGHTS).read_bytes() == before


def test_resume_writes_missing_transforms_again(interrupted, projects):
    (interrupted / TRANSFORMS).unlink()
    run = resume(interrupted, progress=Quiet())
    assert run.transforms() == Run.open(projects["finished"] / "run").transforms()


# --- how it is written ----------------------------------------------------------------------------------------------------


def test_an_empty_folder_of_checkpoints_may_be_absent(interrupted, projects):
    shutil.rmtree(interrupted / "checkpoints")
    run = resume(interrupted, progress=Quiet())
    assert differences(projects["finished"] / "run", run.path) == []


def test_a_run_without_digests_is_still_read_and_gone_on_with(interrupted, projects):
    from safetensors.numpy import save

    info = json.loads((interrupted / "run.json").read_text())
    old = {name: value for name, value in info.items() if name not in ("digest", "digests")}
    (interrupted / "run.json").write_text(json.dumps({**old, "format": 1}))
    found = read_sealed(interrupted / WEIGHTS)
    (interrupted / WEIGHTS).write_bytes(save(found.arrays, {"epoch": str(found.metadata["epoch"])}))
    for file in Checkpoints(interrupted / "checkpoints").files():
        checkpoint = read_sealed(file)
        file.write_bytes(save(checkpoint.arrays, {"format": "1", "state": json.dumps(checkpoint.metadata["state"])}))
    assert Run.open(interrupted).weights_epoch() == found.metadata["epoch"]
    run = resume(interrupted, progress=Quiet())
    assert run.status == "finished"
    assert differences(projects["finished"] / "run", run.path) == []


def test_best_is_what_the_weights_file_holds_where_writing_it_failed(projects, tmp_path, monkeypatch):
    folder = Path(shutil.copytree(projects["interrupted"], tmp_path / "copy"))
    write = Path.write_bytes
    written = []

    def write_bytes(self: Path, content: bytes) -> int:
        if self.name.startswith(".weights"):
            written.append(self)
            if len(written) > 1:
                raise OSError(errno.ENOSPC, "No space left on device")
        return write(self, content)

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    with pytest.raises(NnspecError, match="with the weights of epoch 1"):
        train(load(folder / "net.nnspec.yaml"), out=folder / "failed", progress=Quiet())
    monkeypatch.undo()
    run = Run.open(folder / "failed")
    assert (run.status, run.info["best"]["epoch"], run.weights_epoch()) == ("failed", 1, 1)
    assert run.info["best"]["value"] == run.info["best"]["figures"]["val_loss"]
    resumed = resume(run.path, progress=Quiet())
    assert resumed.info["best"]["epoch"] == resumed.weights_epoch()
    assert differences(projects["finished"] / "run", resumed.path) == []


def test_all_that_begin_writes_reaches_the_disk_before_it_is_put_in_its_place(projects, tmp_path, monkeypatch):
    folder = Path(shutil.copytree(projects["interrupted"], tmp_path / "copy"))
    synced: list[str] = []
    fsync = os.fsync

    def noted(number: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{number}").readlink()))
        fsync(number)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("there is no /proc here")
    monkeypatch.setattr(os, "fsync", noted)
    train(load(folder / "net.nnspec.yaml", ["train.epochs=1"]), out=folder / "new" / "er" / "run", progress=Quiet())
    begun = synced[: synced.index(str(folder / "new" / "er" / "run")) + 4]
    names = {Path(path).name.partition(".")[0] or Path(path).name for path in begun}
    for stem in ("spec", "transforms", "run"):
        assert any(f".{stem}." in path or path.endswith("/run") for path in begun), (stem, names)
    assert {str(folder / "new" / "er"), str(folder / "new"), str(folder)} <= set(begun)


def test_what_a_kill_left_of_beginning_a_run_is_removed(projects, tmp_path):
    folder = Path(shutil.copytree(projects["interrupted"], tmp_path / "copy"))
    for name in (f".other.{2**22 + 1}.part", f".run2.{os.getpid()}.part"):
        (folder / name / "checkpoints").mkdir(parents=True)
        (folder / name / "spec.yaml").touch()
    mine = folder / ".mine.1.part"
    mine.mkdir()
    (mine / "something").touch()
    train(load(folder / "net.nnspec.yaml", ["train.epochs=1"]), out=folder / "run2", progress=Quiet())
    assert [path.name for path in folder.glob(".*.part")] == [".mine.1.part"]


def test_a_run_is_evaluated_by_its_folder(finished):
    assert evaluate(str(finished)) == evaluate(Run.open(finished))


def test_large_arrays_have_the_same_digests_as_small_ones(monkeypatch):
    arrays = {"a": np.arange(5.0), "b": np.ones((2, 3), np.float32)}
    alone = sealed(arrays, {})
    monkeypatch.setattr("nnspec.training.run.digests._WORTH_THREADS", 0)
    assert sealed(arrays, {}) == alone
