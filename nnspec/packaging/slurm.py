"""A batch script for Slurm, which trains, and queues itself again after a failure of a node, preemption, or its time limit.

Source: Slurm, ``sbatch``, ``srun`` and ``scontrol``.
"""

from __future__ import annotations

import re
import shlex

from nnspec.packaging.training import Machines, Training
from nnspec.training.processes.environment import LOST

_SECONDS_TO_SAVE = 120
_MOST_RESTARTS = 10
_SCRIPT = """\
#!/bin/bash
{options}
# Submit it with `sbatch` from the folder that the paths are relative to, which all nodes share.
set -u
spec={spec}
run={run}
settings=({settings})

# Process 0 is on the first node. Each start has a port of its own, above those that systems give to clients.
first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
address=$(scontrol show node "$first" | grep -Eo 'NodeAddr=[^ ]+' | cut -d = -f 2)
restarts=${{SLURM_RESTART_COUNT:-0}}
export JAX_COORDINATOR_ADDRESS="$address:$((61440 + (SLURM_JOB_ID * 16 + restarts) % 4096))"

if [ -f "$run/run.json" ]; then
    # The nodes may have other processors than those before.
    arguments=(--resume "$run" --allow-different)
else
    arguments=("$spec" --out "$run" --backend jax "${{settings[@]}}")
fi

# Slurm sends USR1 before the time limit, and before preemption (PreemptParameters=send_user_signal).
stopping=
trap 'stopping=yes; scancel --signal=TERM "$SLURM_JOB_ID.0"' USR1

# An error of the training itself would recur: it leaves a mark, and the job ends.
mkdir -p "$(dirname "$run")"
export NNSPEC_FAILED="$run.failed"
rm -f "$NNSPEC_FAILED"
# shellcheck disable=SC2016
srun --kill-on-bad-exit=1 bash -c '
    nnspec train "$@"
    status=$?
    if [ $status -eq 1 ] || [ $status -eq 2 ]; then touch "$NNSPEC_FAILED"; fi
    exit $status
' nnspec "${{arguments[@]}}" &
step=$!
wait "$step"
status=$?
while [ -n "$stopping" ] && kill -0 "$step" 2> /dev/null; do # the signal ended `wait`
    wait "$step"
    status=$?
done

if [ -f "$NNSPEC_FAILED" ]; then
    rm -f "$NNSPEC_FAILED"
elif [ "$status" -eq {lost} ] || [ "$status" -gt 128 ]; then # a process lost another one, or was ended by a signal
    # Slurm itself handles a job that is cancelled or preempted.
    state=$(squeue --noheader --jobs="$SLURM_JOB_ID" --format=%T)
    if [ "$state" = RUNNING ] && [ "$restarts" -lt {most} ]; then
        echo "the training ended with status $status; the job is queued again, restart $((restarts + 1)) of at most {most}"
        scontrol requeue "$SLURM_JOB_ID"
        sleep 60 # Slurm ends this script
    fi
fi
exit "$status"
"""


def script(training: Training, machines: Machines) -> str:
    """The script.

    Args:
        training: The training.
        machines: The nodes. Each process uses one GPU, if there are any.
    """
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", training.name)
    options = [
        f"--job-name={name}",
        f"--nodes={machines.nodes}",
        f"--ntasks-per-node={machines.processes}",
        *([f"--cpus-per-task={machines.cpus}"] if machines.cpus else []),
        *([f"--mem={machines.memory}G"] if machines.memory else []),
        *([f"--gpus-per-node={machines.gpus}"] if machines.gpus else []),
        *([f"--time={_time(machines.seconds)}"] if machines.seconds else []),
        f"--output={name}-%j.log",
        "--open-mode=append",
        "--requeue",
        f"--signal=B:USR1@{_SECONDS_TO_SAVE}",
    ]
    root = f"--root {shlex.quote(training.root)}" if training.root is not None else ""
    return _SCRIPT.format(
        options="\n".join(f"#SBATCH {option}" for option in options),
        spec=shlex.quote(training.spec),
        run=shlex.quote(training.run),
        settings=f"{root}{training.settings()}".strip(),
        most=_MOST_RESTARTS,
        lost=LOST,
    )


def _time(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days}-{hours:02}:{minutes:02}:{seconds:02}"
