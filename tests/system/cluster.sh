# A real Slurm cluster on this machine, for whole-program tests; sourced as the first thing. Each node is a host in the test's sandbox.
# Of the Slurm that PATH finds first: 22.05 and 24.11 were tried.
tools='slurmctld slurmd sbatch'
. "$(dirname "${BASH_SOURCE[0]}")/sandbox.sh"

cluster=$scratch/cluster
cluster_stop() { # keeps $?
  local status=$?
  kill -KILL $(cat "$cluster/run/slurmctld.pid" 2>/dev/null) "${host_pids[@]}" 2>/dev/null
  return "$status"
}
trap 'cluster_stop; clean_up' EXIT
export SLURM_CONF=$cluster/slurm.conf

# cluster_start NODES: nodes n1, n2, ... of 4 cores (or cores[1], cores[2], ...) in the partitions `low` (preempted, with time of grace), `low0` (preempted at once)
# and `high` (preempts). Settings: grace, kill_wait, slurmd_timeout (seconds), controller_parameters, preempt_mode, slurmd_debug.
grace=8 kill_wait=4 slurmd_timeout=6 controller_parameters=preempt_send_user_signal preempt_mode=REQUEUE slurmd_debug=verbose
is_newer=$(slurmctld -V | awk '$2 >= "24.05"')
# Newer ones ping nodes together, and hear of the one that answers only when they have given up the other.
[ -z "$is_newer" ] || slurmd_timeout=20
cores=()
cluster_start() {
  local node user
  node_count=$1
  user=$(id -un)
  mkdir -p "$cluster"/{state,log,run}
  network_up $(seq -f 'n%.0f' "$1")
  : >"$cluster/plugstack.conf"
  {
    cat <<CONF
ClusterName=lockstep
SlurmctldHost=control(10.1.0.254)
SlurmctldPort=26800
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/none
CredType=cred/none
AuthInfo=cred_expire=5
StateSaveLocation=$cluster/state
SlurmdSpoolDir=$cluster/spool/%n
TmpFS=$cluster/tmp/%n
SlurmctldPidFile=$cluster/run/slurmctld.pid
SlurmdPidFile=$cluster/run/slurmd-%n.pid
SlurmctldLogFile=$cluster/log/slurmctld.log
SlurmdLogFile=$cluster/log/slurmd-%n.log
SlurmctldDebug=verbose
SlurmdDebug=$slurmd_debug
MailProg=/bin/true
PlugStackConfig=$cluster/plugstack.conf
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
SlurmdParameters=config_overrides
SlurmctldParameters=$controller_parameters
MpiDefault=pmix
ReturnToService=2
SlurmdTimeout=$slurmd_timeout
SlurmctldTimeout=6
BatchStartTimeout=1
MessageTimeout=5
KillWait=$kill_wait
MinJobAge=600
${is_newer:+MaxBatchRequeue=20}
JobCompType=jobcomp/filetxt
JobCompLoc=$cluster/jobs
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=$preempt_mode
CONF
    for node in $(seq "$1"); do
      mkdir -p "$cluster/spool/n$node" "$cluster/tmp/n$node"
      echo "NodeName=n$node NodeHostname=n$node NodeAddr=10.1.0.$node Port=26801 CPUs=${cores[node]:-4} CoresPerSocket=${cores[node]:-4} RealMemory=2000"
    done
    cat <<CONF
PartitionName=low  Nodes=ALL Default=YES State=UP PriorityTier=1 PreemptMode=${preempt_mode%,*} GraceTime=$grace
PartitionName=low0 Nodes=ALL State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=0
PartitionName=high Nodes=ALL State=UP PriorityTier=10 PreemptMode=OFF
CONF
  } >"$SLURM_CONF"
  slurmctld -f "$SLURM_CONF" || fail "slurmctld does not start"
  for node in $(seq "$1"); do node_on "$node"; done
  wait_until 30 idle_nodes "$1" || { fail "the cluster does not come up"; tail -n 5 "$cluster"/log/*; exit 1; }
}

idle_nodes() { # COUNT
  [ "$(timeout 10 sinfo -h -N -p low -o %T 2>/dev/null | grep -c '^idle$')" = "$1" ]
}

node_on() { # NUMBER
  host_start "$1" "n$1" slurmd -D -f "$SLURM_CONF"
}

# Client commands wait for ever for a controller that is gone.
slurm() {
  timeout 60 "$@"
}

# set_controller PARAMETERS: SlurmctldParameters from now on.
set_controller() {
  sed -i "s/^SlurmctldParameters=.*/SlurmctldParameters=$1/" "$SLURM_CONF"
  slurm scontrol reconfigure
}

# submit [SBATCH ARGUMENTS...]: sets `job`.
submit() {
  job=$(slurm sbatch --parsable "$@") || fail "sbatch $*"
}

field_of() { # JOB KEY: of scontrol show job
  slurm scontrol show job -o "$1" 2>/dev/null | tr ' ' '\n' | sed -n "s/^$2=//p" | head -n 1
}

state_of() { # JOB
  field_of "$1" JobState
}

is_state() { # JOB STATE
  [ "$(state_of "$1")" = "$2" ]
}
