# Sourced instead of lib.sh, as the first thing: starts the test once more in namespaces of its own, with a network without a way
# out, processes that end with it, and host names and file systems that nobody else sees. Nothing needs root where user namespaces are
# allowed; without them, or without one of the `tools` that the test has named before, it is skipped.
export PATH=$PATH:/usr/sbin:/sbin
if [ -z "${LOCKSTEP_SANDBOX:-}" ]; then
  # LOCKSTEP_TEST_NO_SKIP: in CI it fails instead.
  skip() { # WORDS
    printf 'skipped: %s\n' "$1"
    [ -z "${LOCKSTEP_TEST_NO_SKIP:-}" ] || exit 1
    exit 77
  }
  for tool in unshare nsenter ip ${tools:-}; do
    command -v "$tool" >/dev/null || skip "no $tool on this machine (Debian packages slurm-wlm, iproute2, util-linux)"
  done
  namespaces=(--net --mount --uts --pid --fork --mount-proc --kill-child)
  [ "$(id -u)" -eq 0 ] || namespaces+=(--user --map-current-user --keep-caps)
  unshare "${namespaces[@]}" true 2>/dev/null || skip "this user may not make namespaces (unshare ${namespaces[*]})"
  # In a child, so that this shell can be ended by a signal: the first process of a namespace cannot.
  LOCKSTEP_SANDBOX=1 unshare "${namespaces[@]}" "$0" "$@" &
  trap 'kill -KILL $!' EXIT
  wait $!
  code=$?
  trap - EXIT
  exit "$code"
fi

hostname control
mount -t tmpfs tmpfs /dev/shm
ip link set lo up

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
unset OMPI_MCA_odls_base_sigkill_timeout # here mpirun is to be as it is

# ---- hosts with cables ----

# A bridge, on which this one is 10.1.0.254, and names for 10.1.0.1, 10.1.0.2, ...
network_up() { # NAMES...
  local number=0
  ip link add bridge type bridge && ip link set bridge up && ip address add 10.1.0.254/24 dev bridge
  {
    printf '127.0.0.1 localhost\n10.1.0.254 control\n'
    for name in "$@"; do printf '10.1.0.%s %s\n' $((++number)) "$name"; done
  } >"$scratch/hosts"
  mount --bind "$scratch/hosts" /etc/hosts
  export OMPI_MCA_oob_tcp_if_include=10.1.0.0/24 OMPI_MCA_btl_tcp_if_include=10.1.0.0/24
  # Each has a /dev/shm of its own.
  unset OMPI_MCA_btl_vader_backing_directory OMPI_MCA_osc_sm_backing_directory
}

# host_start NUMBER NAME WORDS...: a host of this name and address, with these words as its first program. Sets host_pids[NUMBER];
# everything in it ends with that process.
host_pids=()
host_start() {
  local outer
  ip link delete "cable$1" 2>/dev/null # what a host that is gone may have left for a moment
  unshare --net --uts --mount --pid --fork --kill-child --mount-proc bash -c '
    hostname "$1" && shift && mount -t tmpfs -o size=512m tmpfs /dev/shm && ip link set lo up
    until ip -4 address show dev eth0 2>/dev/null | grep -q inet; do sleep 0.05; done
    "$@" &
    wait' host "${@:2}" </dev/null >>"$scratch/$2.out" 2>&1 &
  outer=$!
  wait_until 10 pgrep -P "$outer" >/dev/null || fail "$2 does not come up"
  host_pids[$1]=$(pgrep -P "$outer")
  ip link add "cable$1" type veth peer name eth0 netns "${host_pids[$1]}"
  ip link set "cable$1" master bridge up
  nsenter -t "${host_pids[$1]}" --net sh -c "ip link set eth0 up && ip address add 10.1.0.$1/24 dev eth0"
}

# The power fails: all processes at once, and nobody says good-bye to their peers.
host_kill() { # NUMBER
  cut_cable "$1"
  kill -KILL "${host_pids[$1]}"
}

cut_cable() { # NUMBER
  ip link set "cable$1" down
}

mend_cable() { # NUMBER
  ip link set "cable$1" up
}

hosts_stop() { # keeps $?
  local status=$?
  kill -KILL "${host_pids[@]}" 2>/dev/null
  return "$status"
}
