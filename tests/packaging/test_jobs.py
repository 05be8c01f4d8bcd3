"""Jobs that train a spec on several machines."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
import yaml
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.diagnostics import NnspecError, SpecError
from nnspec.packaging.jobs import write_job
from nnspec.packaging.training import Machines

SPEC = """\
nnspec: 1
name: two_layers
inputs: {x: [4]}
layers:
  - Dense: {units: 2}
    name: y
data:
  train: {csv: rows.csv}
  inputs: {x: {columns: [a, b, c, d]}}
  targets: {y: {column: y}}
train: {epochs: 1, batch_size: 32, loss: {y: MeanSquaredError}, optimizer: Adam}
"""


@pytest.fixture
def spec(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets/two.nnspec.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return "nets/two.nnspec.yaml"


def trainjob(spec, **machines):
    file = write_job(
        spec, "trainjob", "job", Machines(**machines), overrides=["train.epochs=3"], image="nnspec:1", volume="work"
    )
    return yaml.safe_load(file.read_text())


def slurm(spec, **machines):
    return write_job(spec, "slurm", "job", Machines(**machines), overrides=["train.epochs=3"], run="runs/it's")


def test_a_train_job_has_its_nodes_image_resources_and_volume(spec):
    job = trainjob(spec, nodes=4, cpus=8, memory=16, gpus=2, seconds=3600)
    trainer = job["spec"]["trainer"]
    assert job["metadata"]["name"] == "two-layers"
    assert (trainer["numNodes"], trainer["image"], job["spec"]["activeDeadlineSeconds"]) == (4, "nnspec:1", 3600)
    assert trainer["resourcesPerNode"]["limits"] == {"cpu": "8", "memory": "16Gi", "nvidia.com/gpu": "2"}
    pod = job["spec"]["runtimePatches"][0]["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"][0]
    assert pod["template"]["spec"]["template"]["spec"]["volumes"][0]["persistentVolumeClaim"] == {"claimName": "work"}


def test_a_train_job_trains_the_spec_in_its_project_and_resumes_an_existing_run(spec, tmp_path):
    [shell, flag, command] = trainjob(spec)["spec"]["trainer"]["command"]
    assert (shell, flag) == ("sh", "-c")
    project, programs = tmp_path / "mounted", tmp_path / "programs"
    programs.mkdir()
    (programs / "nnspec").write_text('#!/bin/sh\necho "$@"\n')
    (programs / "nnspec").chmod(0o755)

    def run():
        text = command.replace("/project", str(project))
        told = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
        return subprocess.run([shell, flag, text], env=told, capture_output=True, text=True, check=True).stdout.split()

    run_folder = f"{project}/runs/two_layers"
    begun = ["train", f"{project}/nets/two.nnspec.yaml", "--root", str(project), "--out", run_folder, "--backend", "jax"]
    assert run() == [*begun, "--set", "train.epochs=3"]
    (project / "runs/two_layers").mkdir(parents=True)
    (project / "runs/two_layers/run.json").write_text("")
    assert run() == ["train", "--resume", run_folder, "--allow-different"]


def test_a_train_job_is_one_of_kubeflow_trainers_types_and_has_no_unknown_key(spec):
    models = pytest.importorskip("kubeflow_trainer_api.models")
    job = trainjob(spec, nodes=4, cpus=8, memory=16, gpus=1, seconds=3600)
    read = models.TrainerV1alpha1TrainJob.from_dict(job)
    # The types drop unknown keys.
    assert read.to_dict() == job
    wrong = {**job, "spec": {**job["spec"], "podTemplateOverrides": []}}
    assert models.TrainerV1alpha1TrainJob.from_dict(wrong).to_dict() != wrong


def test_one_node_of_a_train_job_uses_all_its_gpus(spec):
    assert "--devices 4" in trainjob(spec, gpus=4)["spec"]["trainer"]["command"][2]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"volume": "work"}, "--image"),
        ({"image": "a"}, "--volume"),
        ({"image": "a b", "volume": "work"}, "not a container image"),
        ({"image": "a", "volume": "My volume"}, "not a persistent volume claim"),
    ],
)
def test_a_train_job_without_an_image_or_a_volume_is_an_error(spec, tmp_path, options, words):
    with pytest.raises(NnspecError, match=words):
        write_job(spec, "trainjob", "job", Machines(), **options)
    assert not (tmp_path / "job").exists()


def test_a_slurm_script_has_its_machines(spec):
    text = slurm(spec, nodes=2, processes=4, cpus=8, memory=16, gpus=4, seconds=90_061).read_text()
    options = {line.removeprefix("#SBATCH --") for line in text.splitlines() if line.startswith("#SBATCH")}
    assert {"nodes=2", "ntasks-per-node=4", "cpus-per-task=8", "mem=16G", "gpus-per-node=4", "time=1-01:01:01"} <= options


def test_a_slurm_script_passes_shellcheck(spec):
    if shutil.which("shellcheck") is None:
        pytest.skip("needs shellcheck")
    found = subprocess.run(["shellcheck", slurm(spec, nodes=2)], capture_output=True, text=True, check=False)
    assert found.stdout == ""


class Cluster:
    """Programs of Slurm that do as little as the script needs."""

    def __init__(self, folder, script):
        self.folder, self.script = folder, script
        self.put(
            "scontrol", 'case $2 in hostnames) echo node-1;; node) echo " NodeAddr=10.0.0.1 X=1";; *) echo "$@" >> asked;; esac'
        )
        self.put("squeue", "cat state")
        self.put("scancel", 'echo "$@" >> asked; echo > told')
        self.put("sleep", "")
        self.put("srun", 'shift; exec "$@"')
        (folder / "state").write_text("RUNNING")

    def put(self, name, text):
        file = self.folder / "programs" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/bash\n{text}\n")
        file.chmod(0o755)

    def run(self, program, **environment):
        """The status, what Slurm was asked for, and the output; a program is in place of nnspec."""
        self.put("nnspec", program)
        path = f"{self.folder / 'programs'}:{os.environ['PATH']}"
        told = {**os.environ, "PATH": path, "SLURM_JOB_ID": "5", "SLURM_JOB_NODELIST": "node-[1-2]", **environment}
        done = subprocess.run(["bash", self.script], env=told, cwd=self.folder, capture_output=True, text=True, check=False)
        asked = self.folder / "asked"
        lines = asked.read_text().splitlines() if asked.exists() else []
        asked.unlink(missing_ok=True)
        return done.returncode, lines, done.stdout + done.stderr


@pytest.fixture
def cluster(spec, tmp_path):
    return Cluster(tmp_path, slurm(spec, nodes=2))


def test_a_slurm_job_trains_the_spec_and_resumes_an_existing_run(cluster, tmp_path):
    say = 'echo "$@" @ $JAX_COORDINATOR_ADDRESS'
    arguments = "train nets/two.nnspec.yaml --out runs/it's --backend jax --set train.epochs=3"
    assert cluster.run(say) == (0, [], f"{arguments} @ 10.0.0.1:61520\n")
    (tmp_path / "runs/it's").mkdir(parents=True)
    (tmp_path / "runs/it's/run.json").write_text("")
    assert cluster.run(say, SLURM_RESTART_COUNT="3") == (0, [], "train --resume runs/it's --allow-different @ 10.0.0.1:61523\n")


def test_the_root_of_a_spec_is_that_of_its_slurm_job(spec, tmp_path):
    script = write_job(spec, "slurm", "job", Machines(), root=tmp_path)
    arguments = Cluster(tmp_path, script).run('echo "$@"')[2].split()
    assert arguments[-2:] == ["--root", str(tmp_path)]


@pytest.mark.parametrize("status", [75, 137])
def test_a_slurm_job_that_lost_a_process_is_queued_again(cluster, status):
    found, asked, output = cluster.run(f"exit {status}")
    assert (found, asked) == (status, ["requeue 5"])
    assert "restart 1 of at most 10" in output


def test_a_slurm_job_is_not_queued_again_after_an_error_of_the_training(cluster, tmp_path):
    # Slurm kills the other process, or it has lost the first one: the larger status is that of the step.
    cluster.put("srun", 'shift; "$@"; exit 137')
    assert cluster.run("exit 1")[:2] == (137, [])
    assert not list(tmp_path.rglob("*.failed"))


def test_a_slurm_job_that_is_cancelled_or_failed_too_often_is_not_queued_again(cluster, tmp_path):
    assert cluster.run("exit 75", SLURM_RESTART_COUNT="10")[:2] == (75, [])
    (tmp_path / "state").write_text("COMPLETING")
    assert cluster.run("exit 143")[:2] == (143, [])


def test_a_slurm_job_whose_time_is_over_saves_and_is_queued_again(cluster):
    # The script gets USR1, and ends the step, which then ends the training.
    program = "kill -USR1 $(ps -o ppid= -p $PPID); while ! [ -f told ]; do read -rt 0.02 <> <(:); done; exit 143"
    assert cluster.run(program)[:2] == (143, ["--signal=TERM 5.0", "requeue 5"])


def test_batches_that_cannot_be_shared_are_an_error_with_a_size_that_can(spec):
    with pytest.raises(NnspecError, match=r"train\.batch_size=33"):
        slurm(spec, nodes=3)


def test_a_spec_with_errors_or_without_training_is_not_packaged(spec, tmp_path):
    with pytest.raises(SpecError):
        write_job(spec, "slurm", "job", Machines(), overrides=["train.loss=Nothing"])
    (tmp_path / "plain.nnspec.yaml").write_text(SPEC.partition("data:")[0])
    with pytest.raises(NnspecError, match="no section `train`"):
        write_job("plain.nnspec.yaml", "slurm", "job", Machines())
    assert not (tmp_path / "job").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target", "slurm", "--image", "a"], "--image is for --target trainjob"),
        (["--target", "trainjob", "--storage-uri", "s3://a"], "--storage-uri is for --target kserve"),
        (["--target", "slurm", "--gpus", "4", "--processes", "2"], "each process uses one GPU"),
        (["--target", "slurm", "--time", "4h"], "not a time limit"),
    ],
)
def test_an_option_of_another_target_is_an_error(spec, tmp_path, arguments, words):
    done = CliRunner().invoke(main, ["package", spec, "-o", "job", *arguments])
    assert done.exit_code in (1, 2)
    assert words in done.output
    assert not (tmp_path / "job").exists()


def test_the_command_prints_the_file_that_it_writes(spec, tmp_path):
    done = CliRunner().invoke(main, ["package", spec, "--target", "slurm", "--nodes", "2", "-o", "job"])
    assert (done.exit_code, done.output) == (0, "job/train.sbatch\n")
