#!/bin/bash
# What becomes of a job after an error, scancel, the end of its time, and preemption: with a program in place of nnspec that only
# waits, on the cluster of cluster.sh (whose partition `urgent` preempts). It needs SLURM_CONF, and nnspec on the PATH to package.
set -eu
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
nnspec package specs/digits.nnspec.yaml --target slurm --nodes 2 --time 00:30:00 --run "$folder/run" -o "$folder/job" > /dev/null
mkdir "$folder/programs"
cat > "$folder/programs/nnspec" << 'EOF'
#!/bin/bash
echo "process $SLURM_PROCID, restart ${SLURM_RESTART_COUNT:-0}: $*"
trap 'echo "process $SLURM_PROCID got SIGTERM"; kill $!; exit 143' TERM
if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then exit 0; fi
if [ "$EVENT" = error ] && [ "$SLURM_PROCID" = 1 ]; then exit 1; fi
sleep 300 &
wait
EOF
chmod +x "$folder/programs/nnspec"
export PATH=$folder/programs:$PATH

for EVENT in error scancel "time limit" preemption; do
    export EVENT
    job=$(sbatch --parsable --output="$folder/log" "$folder/job/train.sbatch")
    until [ "$(grep -c '^process ., restart 0' "$folder/log" 2> /dev/null)" = 2 ]; do sleep 0.5; done
    case $EVENT in
        scancel) scancel "$job" ;;
        "time limit") scancel --batch --signal=USR1 "$job" ;; # what Slurm sends two minutes before it
        preemption) sbatch --partition=urgent --nodes=2 --output=/dev/null --wrap="srun sleep 1" > /dev/null ;;
    esac
    until scontrol show job "$job" | grep -Eq 'JobState=(COMPLETED|FAILED|CANCELLED) '; do sleep 1; done
    echo "$EVENT: $(scontrol show job "$job" | grep -Eo '(JobState|Restarts)=[^ ]*' | paste -sd ' ')"
    if [ -n "${VERBOSE:-}" ]; then cat "$folder/log"; fi
    rm -f "$folder/log"
done
