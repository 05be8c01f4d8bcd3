"""Trainings that stop and go on, in this process: to the same bits, or not at all."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from benchmarks.resume import damaged_files, differences
from nnspec.diagnostics import NnspecError
from nnspec.spec import load
from nnspec.training import Run, resume, train
from nnspec.training.loop.progress import Quiet
from nnspec.training.run.checkpoints import Checkpoints
from nnspec.training.run.lock import run_lock

pytest.importorskip("keras")

SMALL = """nnspec: 1
name: small
inputs: {x: [6]}
layers:
  - Dense: {units: 12, activation: relu}
    name: base
  - BatchNormalization
  - Dropout: {rate: 0.3}
  - Dense: {units: 3, activation: softmax}
    name: kind
data: {train: {npz: a.npz}, validation: 0.25, inputs: {x: x}, targets: {kind: {column: kind}}}
train:
  epochs: 4
  batch_size: 25
  seed: 3
  optimizer: {Adam: {learning_rate: 0.02}}
  loss: SparseCategoricalCrossentropy
  metrics: [SparseCategoricalAccuracy]
"""
_SCHEDULE = "{CosineDecay: {initial_learning_rate: 0.1, decay_steps: 40}}"
KINDS = {
    "ema": ("train.ema=0.9", "train.clip={global_norm: 0.5}", "train.input_noise=0.1"),
    "half": (
        "train.precision=mixed_float16",
        f"train.optimizer={{AdamW: {{gradient_accumulation_steps: 3, learning_rate: {_SCHEDULE}}}}}",
    ),
    "plateau": ("train.reduce_on_plateau={patience: 1, min_delta: 0.5}", "train.early_stopping={patience: 3}"),
    "phases": ("train.phases=[{freeze: [base], epochs: 2}, {epochs: 2, batch_size: 40, ema: 0.8}]",),
}


class Listening(Quiet):
    """Notes what is reported, and presses Ctrl-C after some calls of steps."""

    def __init__(self, press_at: int | None = None) -> None:
        self.lines: list[str] = []
        self.calls = 0
        self.press_at = press_at

    def print(self, text: str) -> None:
        self.lines.append(text)

    def stepped(self, epoch, step, rate, figures) -> None:
        self.calls += 1
        if self.calls == self.press_at:
            os.kill(os.getpid(), signal.SIGINT)


def table(folder: Path, count: int = 200) -> None:
    x = np.random.default_rng(0).normal(size=(count, 6)).astype("float32")
    np.savez(folder / "a.npz", x=x, kind=x[:, :3].argmax(1))


def begun(folder: Path, *overrides: str, out: str = "run", press_at: int | None = None, **options) -> Run:
    if not (folder / "a.npz").exists():
        table(folder)
    file = folder / "net.nnspec.yaml"
    file.write_text(SMALL, encoding="utf-8")
    return train(load(file, overrides), out=folder / out, progress=Listening(press_at), **options)


@pytest.fixture(scope="module", autouse=True)
def two_steps_a_call():
    """Epochs of six steps then come to three calls, so that a training can be stopped in the middle of one."""
    from nnspec.training.loop import loop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "_INITIAL_STEPS_PER_CALL", 2)
        patch.setattr(loop, "_MOST_STEPS_PER_CALL", 2)
        yield


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory) -> Path:
    """A project with a run that was interrupted in the middle of its third epoch."""
    folder = tmp_path_factory.mktemp("interrupted")
    begun(folder, press_at=8)
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Run:
    """The same run, never interrupted."""
    return begun(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def project(interrupted, tmp_path) -> Path:
    """A copy of it."""
    shutil.copytree(interrupted, tmp_path / "copy")
    return tmp_path / "copy"


# --- to the same bits -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_that_was_stopped_comes_to_the_weights_of_one_that_was_not(tmp_path, kind):
    whole = begun(tmp_path, *KINDS[kind], out="whole")
    first = begun(tmp_path, *KINDS[kind], out="cut", press_at=5)
    assert first.status == "interrupted"
    again = resume(tmp_path / "cut", progress=Listening(press_at=3))
    assert again.status == "interrupted"
    assert again.info["steps"] > first.info["steps"]
    last = resume(tmp_path / "cut", progress=Quiet())
    assert last.status == whole.status
    if whole.status == "finished":
        assert differences(whole.path, last.path) == []
    assert {k: v for k, v in last.weights().items() if (v != whole.weights()[k]).any()} == {}
    assert damaged_files(last.path) == []


def test_a_run_that_is_given_more_epochs_comes_to_the_weights_of_the_longer_one(tmp_path):
    whole = begun(tmp_path, "train.epochs=6", out="whole")
    assert begun(tmp_path, out="short").status == "finished"
    longer = resume(tmp_path / "short", overrides=["train.epochs=6"], progress=Quiet())
    assert differences(whole.path, longer.path) == []
    assert Run.open(longer.path).spec.section("train").get("epochs").plain() == 6
    assert [record["epoch"] for record in longer.metrics()] == [1, 2, 3, 4, 5, 6]


def test_a_checkpoint_that_is_damaged_is_reported_and_the_one_before_it_taken(project, whole):
    files = Checkpoints(project / "run" / "checkpoints").files()
    files[-1].write_bytes(files[-1].read_bytes()[:-100])
    listening = Listening()
    run = resume(project / "run", progress=listening)
    assert "is damaged" in listening.lines[0]
    assert differences(whole.path, run.path) == []


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_anew(project, whole):
    for file in Checkpoints(project / "run" / "checkpoints").files():
        file.unlink()
    (project / "run" / "metrics.jsonl").unlink()
    listening = Listening()
    run = resume(project / "run", progress=listening)
    assert any("from the start" in line for line in listening.lines)
    assert differences(whole.path, run.path) == []


def test_what_a_kill_left_between_a_checkpoint_and_its_epochs_files_is_made_good(project):
    run = Run.open(project / "run")
    best, records = run.weights(), run.metrics()
    (project / "run" / "weights.safetensors").unlink()
    (project / "run" / "metrics.jsonl").write_text("")
    (project / "run" / ".metrics.17.part").write_text('{"epo')
    again = resume(project / "run", progress=Listening(press_at=1))
    assert again.status == "interrupted"
    assert {name: array.tobytes() for name, array in again.weights().items()} == {n: a.tobytes() for n, a in best.items()}
    assert again.metrics() == records
    assert not list((project / "run").glob(".*.part"))


def test_the_newest_checkpoints_are_kept_and_the_best(tmp_path):
    run = begun(tmp_path, "train.optimizer={Adam: {learning_rate: 0.5}}", "train.epochs=8", keep=2)
    best = run.info["best"]["epoch"]
    names = [path.name for path in Checkpoints(run.path / "checkpoints").files()]
    assert {name.rpartition("-")[2] for name in names} == {f"{n:04}.safetensors" for n in {best, 7, 8}}


def test_a_checkpoint_is_taken_in_the_middle_of_an_epoch_when_it_is_due(tmp_path):
    run = begun(tmp_path, "train.epochs=1", checkpoint_every=1e-9, keep=9)
    assert [path.name for path in Checkpoints(run.path / "checkpoints").files()] == [
        "step-000000002.safetensors",
        "step-000000004.safetensors",
        "step-000000006-epoch-0001.safetensors",
    ]


def test_a_run_may_be_put_into_an_empty_folder_that_someone_stands_in(tmp_path, monkeypatch):
    table(tmp_path)
    (tmp_path / "net.nnspec.yaml").write_text(SMALL)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    run = train(load(tmp_path / "net.nnspec.yaml", ["train.epochs=1"]), out=".", progress=Quiet())
    assert damaged_files(run.path) == []
    assert not list(tmp_path.glob(".*.part"))


# --- how it stops ---------------------------------------------------------------------------------------------------------


def test_ctrl_c_saves_and_prints_the_command_to_resume(tmp_path):
    listening = Listening(press_at=2)
    (tmp_path / "with space").mkdir()
    folder = tmp_path / "with space"
    table(folder)
    (folder / "net.nnspec.yaml").write_text(SMALL)
    run = train(load(folder / "net.nnspec.yaml"), out=folder / "run", progress=listening)
    assert listening.lines[-1] == f"resume with: nnspec train --resume '{run.path}'"
    assert (run.info["signal"], run.info["steps"]) == ("SIGINT", 4)
    newest, damaged = Checkpoints(run.path / "checkpoints").newest()
    assert newest is not None and not damaged
    assert newest.position.in_epoch == 4


def test_a_run_that_has_finished_says_so(tmp_path):
    run = begun(tmp_path, "train.epochs=1")
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    listening = Listening()
    assert resume(run.path, progress=listening).status == "finished"
    assert "is finished after 1 epochs" in listening.lines[0]
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before


def test_two_processes_do_not_train_into_one_run(project):
    with run_lock(project / "run"), pytest.raises(NnspecError, match="another process is training into"):
        resume(project / "run", progress=Quiet())


@pytest.mark.parametrize("what", ["step-", "metrics"])
def test_a_full_disk_is_reported_and_the_checkpoints_stay(project, whole, monkeypatch, what):
    before = [path.name for path in Checkpoints(project / "run" / "checkpoints").files()]
    write = Path.write_bytes
    full = {"full": True}

    def write_bytes(self: Path, content: bytes) -> int:
        if full["full"] and self.name.startswith(f".{what}") and (what != "metrics" or content.count(b"\n") > 2):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(self, content)

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    with pytest.raises(NnspecError, match=r"No space left on device\n.*free space") as caught:
        resume(project / "run", progress=Quiet())
    assert "resume with: nnspec train --resume" in str(caught.value)
    assert damaged_files(project / "run") == []
    names = [path.name for path in Checkpoints(project / "run" / "checkpoints").files()]
    assert names[: len(before)] == before if what == "step-" else names
    full["full"] = False
    run = resume(project / "run", progress=Quiet())
    assert differences(whole.path, run.path) == []


def test_a_disk_that_takes_no_more_in_the_middle_of_a_training_loses_nothing(tmp_path):
    table(tmp_path)
    (tmp_path / "net.nnspec.yaml").write_text(SMALL.replace("units: 12", "units: 2000"))
    spec = load(tmp_path / "net.nnspec.yaml")
    whole = train(spec, out=tmp_path / "whole", progress=Quiet())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    class Filling(Listening):
        def epoch_ended(self, record) -> None:
            if record["epoch"] == 2:
                resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))

    try:
        with pytest.raises(NnspecError, match=r"step-000000018-epoch-0003.*\n.*ulimit -f") as caught:
            train(spec, out=tmp_path / "run", progress=Filling())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "the last checkpoint is step-000000012-epoch-0002.safetensors" in str(caught.value)
    assert Run.open(tmp_path / "run").status == "failed"
    assert damaged_files(tmp_path / "run") == []
    assert not list((tmp_path / "run").rglob(".*.part*"))
    assert differences(whole.path, resume(tmp_path / "run", progress=Quiet()).path) == []


# --- when it does not go on -----------------------------------------------------------------------------------------------


def refusal(path: Path, **options) -> str:
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    with pytest.raises(NnspecError) as caught:
        resume(path, progress=Quiet(), **options)
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before
    return str(caught.value)


def test_a_spec_that_was_changed_is_refused_with_the_key(project):
    file = project / "net.nnspec.yaml"
    file.write_text(SMALL.replace("rate: 0.3", "rate: 0.4").replace("batch_size: 25", "batch_size: 8"))
    reported = refusal(project / "run")
    assert "layers[2].Dropout.rate: 0.3 → 0.4" in reported
    assert "train.batch_size: 25 → 8" in reported
    assert "layers[2]" in refusal(project / "run", spec=file)
    assert resume(project / "run", progress=Quiet(), allow_different=True).status == "finished"


def test_a_runs_own_spec_that_was_changed_is_refused_with_the_key(project):
    own = project / "run" / "spec.yaml"
    own.write_text(own.read_text().replace("seed: 3", "seed: 4"))
    assert "train.seed: 3 → 4" in refusal(project / "run", allow_different=True)


def test_overrides_that_change_more_than_the_epochs_are_refused(project):
    assert "train.batch_size: 25 → 8" in refusal(project / "run", overrides=["train.batch_size=8"])
    assert "epochs, more than 1" in refusal(project / "run", overrides=["train.epochs=1"])


def test_data_that_changed_are_refused_with_the_file(project):
    table(project, 199)
    assert "the data changed since the start of the run: data.train: a.npz" in refusal(project / "run")


def test_a_file_under_use_that_changed_is_refused_with_the_layers(tmp_path):
    table(tmp_path)
    (tmp_path / "blocks.nnspec.yaml").write_text(BLOCKS)
    text = SMALL.replace("name: small\n", "name: small\nuse: [blocks.nnspec.yaml]\n").replace(
        "  - Dense: {units: 12, activation: relu}\n    name: base\n", "  - hidden\n"
    )
    (tmp_path / "net.nnspec.yaml").write_text(text)
    run = train(load(tmp_path / "net.nnspec.yaml"), out=tmp_path / "run", progress=Listening(press_at=2))
    (tmp_path / "blocks.nnspec.yaml").write_text(BLOCKS.replace("tanh", "relu"))
    assert "a file under `use` changed since the start of the run; changed layers: `hidden/dense`" in refusal(run.path)


BLOCKS = """nnspec: 1
name: blocks
blocks:
  hidden:
    layers:
      - Dense: {units: 12, activation: tanh}
"""


def test_other_versions_and_threads_are_refused_unless_allowed(project):
    file = project / "run" / "run.json"
    info = json.loads(file.read_text())
    info["versions"]["keras"] = "3.0.0"
    info["machine"]["threads"] = {"intra": 64, "inter": 2}
    file.write_text(json.dumps({**info, "digest": None}))
    reported = refusal(project / "run")
    assert "would not be bit-identical" in reported
    assert "keras: 3.0.0 then, " in reported
    assert "the threads: 64 intra, 2 inter then, " in reported
    listening = Listening()
    assert resume(project / "run", progress=listening, allow_different=True).status == "finished"
    assert any("not be bit-identical" in line for line in listening.lines)


def test_a_file_that_changes_while_it_is_trained_on_is_noticed_after_the_epoch(tmp_path):
    class Changing(Listening):
        def stepped(self, epoch, step, rate, figures) -> None:
            if epoch == 2 and step == 2:
                table(tmp_path, 150)

    listening = Changing()
    table(tmp_path)
    (tmp_path / "net.nnspec.yaml").write_text(SMALL)
    run = train(load(tmp_path / "net.nnspec.yaml"), out=tmp_path / "run", progress=listening)
    assert run.status == "finished"
    assert len([line for line in listening.lines if "a.npz changed after it was read" in line]) == 1
