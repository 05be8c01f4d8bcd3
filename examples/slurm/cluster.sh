#!/bin/bash
# Starts, or stops, a Slurm cluster of two nodes on this machine, for trials: as root, with Debian's packages slurm-wlm and munge.
#
#     sudo examples/slurm/cluster.sh start        # then: export SLURM_CONF=/tmp/nnspec-slurm/slurm.conf
#     sudo examples/slurm/cluster.sh stop
set -eu
place=${NNSPEC_SLURM:-/tmp/nnspec-slurm}
conf=$place/slurm.conf

stop() {
    for name in node-a node-b slurmctld munged; do
        if [ -f "$place/$name.pid" ]; then
            kill "$(cat "$place/$name.pid")" 2> /dev/null || true
            rm -f "$place/$name.pid"
        fi
    done
}

start() {
    mkdir -p "$place/state" "$place/node-a" "$place/node-b"
    chmod 755 "$place"
    dd if=/dev/urandom of="$place/munge.key" bs=1024 count=1 status=none
    chmod 600 "$place/munge.key"
    # Both nodes have this machine's address, and ports and half of the processors each.
    cpus=$(($(nproc) / 2))
    cat > "$conf" << EOF
ClusterName=trial
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=16817
SlurmUser=root
AuthType=auth/munge
# A job that is queued again waits until credentials have expired: by default 120 s.
AuthInfo=socket=$place/munge.socket,cred_expire=10
StateSaveLocation=$place/state
SlurmdSpoolDir=$place/%n
SlurmctldPidFile=$place/slurmctld.pid
SlurmdPidFile=$place/%n.pid
SlurmctldLogFile=$place/slurmctld.log
SlurmdLogFile=$place/%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=1,sched_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=10
NodeName=node-a NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=16818 CPUs=$((cpus > 0 ? cpus : 1))
NodeName=node-b NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=16819 CPUs=$((cpus > 0 ? cpus : 1))
PartitionName=trial Nodes=node-a,node-b Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes=node-a,node-b MaxTime=INFINITE State=UP PriorityTier=2
EOF
    munged --force --key-file="$place/munge.key" --socket="$place/munge.socket" --pid-file="$place/munged.pid" \
        --log-file="$place/munged.log" --seed-file="$place/munged.seed"
    slurmctld -f "$conf" -c
    slurmd -f "$conf" -N node-a
    slurmd -f "$conf" -N node-b
    export SLURM_CONF=$conf
    for _ in $(seq 60); do
        if [ "$(sinfo --noheader --partition=trial --states=idle --format=%D 2> /dev/null)" = 2 ]; then
            sinfo
            echo "export SLURM_CONF=$conf"
            return
        fi
        sleep 0.5
    done
    echo "the nodes are not ready: see $place/*.log" >&2
    exit 1
}

case ${1:-} in
    start)
        stop
        start
        ;;
    stop) stop ;;
    *)
        echo "usage: $0 start|stop" >&2
        exit 2
        ;;
esac
