#!/bin/bash
# Trains by two processes under Slurm, kills one of them, and shows that the job is queued again and resumes the run by itself.
#
# It needs a cluster, such as that of cluster.sh, SLURM_CONF, and nnspec with JAX on the PATH: pip install -e '.[jax]'
set -eu
cd "$(dirname "$0")/../.."
folder=${1:-/tmp/nnspec-slurm-trial}
epochs=${EPOCHS:-60}
rm -rf "$folder"
nnspec package specs/digits.nnspec.yaml --target slurm --nodes 2 --time 00:30:00 --run "$folder/run" -o "$folder/job" \
    --set params.width=24 --set "train.epochs=$epochs" --set "train.early_stopping.patience=$epochs"
began=$SECONDS
job=$(sbatch --parsable --output="$folder/log" "$folder/job/train.sbatch")
echo "submitted job $job"

epoch() { # the number of epochs that the run has
    if [ -f "$folder/run/metrics.jsonl" ]; then wc -l < "$folder/run/metrics.jsonl"; else echo 0; fi
}
until [ "$(epoch)" -ge $((epochs / 3)) ]; do sleep 0.2; done
victim=
for process in /proc/[0-9]*; do
    if grep -qzx "SLURM_JOB_ID=$job" "$process/environ" 2> /dev/null && grep -qzx SLURM_PROCID=1 "$process/environ" &&
        grep -Eq '^(nnspec|python)' "$process/comm"; then
        victim=${process#/proc/}
    fi
done
if [ -z "$victim" ]; then
    echo "process 1 is not on this machine" >&2
    exit 1
fi
echo "after $((SECONDS - began)) s and $(epoch) epochs: kill -KILL $victim, which is process 1"
kill -KILL "$victim"

before=
until [ "$(squeue --noheader --jobs="$job" --format=%T 2> /dev/null)" = "" ]; do
    state=$(squeue --noheader --jobs="$job" --format='%T %r' 2> /dev/null || true)
    if [ -n "$state" ] && [ "$state" != "$before" ]; then echo "after $((SECONDS - began)) s: $state"; fi
    before=$state
    sleep 0.5
done
echo "after $((SECONDS - began)) s: $(epoch) epochs, $(scontrol show job "$job" | grep -Eo '(JobState|Restarts|ExitCode)=[^ ]*' | paste -sd ' ')"
echo "--- the log"
grep -v '^ *$' "$folder/log" | sed -n '1,6p'
echo "..."
grep -n -E 'process|again|requeue|resum|error|stopped|best|CANCELLED' "$folder/log" | tail -20
tail -n 3 "$folder/log"
