# Sourced instead of lib.sh, as the first thing: starts the test once more in namespaces of its own, with a network without a way
# out, processes that end with it, and host names and file systems that nobody else sees. Nothing needs root where user namespaces are
# allowed; without them, or without one of the `tools` that the test has named before, it is skipped.
export PATH=$PATH:/usr/sbin:/sbin
if [ -z "${LOCKSTEP_SANDBOX:-}" ]; then
  for tool in unshare ip ${tools:-}; do
    if ! command -v "$tool" >/dev/null; then
      printf 'skipped: no %s on this machine (Debian packages slurm-wlm, iproute2, util-linux)\n' "$tool"
      exit 77
    fi
  done
  namespaces=(--net --mount --uts --pid --fork --mount-proc --kill-child)
  [ "$(id -u)" -eq 0 ] || namespaces+=(--user --map-current-user --keep-caps)
  if ! unshare "${namespaces[@]}" true 2>/dev/null; then
    printf 'skipped: this user may not make namespaces (unshare %s)\n' "${namespaces[*]}"
    exit 77
  fi
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
