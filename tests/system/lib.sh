# What all system tests share: a place to work, a small job, and words for starting, watching and ending it.
#
#   . "$(dirname "$0")/lib.sh"
#
# The test goes on in an empty directory (with a space in its path) that is gone at the end, together with every process
# that the test has started. Each check prints one line; the exit code is 0 only if none failed. LOCKSTEP is the program,
# by default the newest build of this tree. LOCKSTEP_TEST_LIGHT=1 shortens the long loops.
# shellcheck shell=bash disable=SC2034
set -u
unset CDPATH

tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
light=${LOCKSTEP_TEST_LIGHT:-}
if [ -z "${LOCKSTEP:-}" ]; then
  for LOCKSTEP in "$tests"/../../build/{release,.,dev}/lockstep; do
    [ ! -x "$LOCKSTEP" ] || break
  done
fi
if [ ! -x "$LOCKSTEP" ]; then
  printf 'LOCKSTEP=%s is not a program: build it first\n' "$LOCKSTEP" >&2
  exit 1
fi
LOCKSTEP=$(realpath "$LOCKSTEP")

export PYTHONDONTWRITEBYTECODE=1 # nothing into the sources

# As ctest sets them (see tests/CMakeLists.txt), for a test that is run by hand.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none
# When a rank has ended with an error, mpirun lets 2 s pass for the others to go, even if they are gone. Not here.
export OMPI_MCA_odls_base_sigkill_timeout=0
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0}

# mpirun that is killed leaves its files behind; here they lie where they are removed.
scratch=$(mktemp -d "${TMPDIR:-/tmp}/lockstep.XXXXXX") || exit 1
export OMPI_MCA_orte_tmpdir_base="$scratch"
if shared=$(mktemp -d /dev/shm/lockstep.XXXXXX 2>/dev/null); then
  export OMPI_MCA_btl_vader_backing_directory="$shared" OMPI_MCA_osc_sm_backing_directory="$shared"
fi
mkdir "$scratch/a place" && cd "$scratch/a place" || exit 1

# ---- words ----

failures=0

pass() {
  printf 'ok    %s\n' "$*"
}

fail() {
  printf 'FAIL  %s\n' "$*"
  failures=$((failures + 1))
}

# check WORDS COMMAND...: the command says whether the words are true.
check() {
  local words=$1
  shift
  if "$@"; then pass "$words"; else fail "$words"; fi
}

equal() { # FOUND EXPECTED
  [ "$1" = "$2" ] || { printf '      expected: %s\n      found:    %s\n' "$2" "$1"; return 1; }
}

# The lines of a log without the time of day that some have in front.
timeless() { # FILE
  sed -E 's/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z //' "$1"
}

has_lines() { # FILE COUNT REGEX
  [ "$(timeless "$1" 2>/dev/null | grep -Ec -e "$3")" -ge "$2" ]
}

has_line() { # FILE REGEX
  timeless "$1" | grep -E -e "$2" >/dev/null || { printf '      no line %s in %s, which ends:\n' "$2" "$1"; tail -n 12 "$1" | sed 's/^/      | /'; return 1; }
}

expect_exit() { # CODE WORDS: of the run that has just finished
  check "$2: exit code $1" equal "$code" "$1" || true
  [ "$code" = "$1" ] || tail -n 25 "$name.log" | sed 's/^/      | /'
}

expect_line() { # FILE REGEX WORDS
  check "$3" has_line "$1" "$2"
}

skip() { # REASON
  printf 'skipped: %s\n' "$*"
  [ "$failures" -eq 0 ] || exit 1
  exit 77
}

# ---- time ----

exec {nobody}<> <(:) # nothing ever comes from here: a read that times out is a sleep without a process

nap() { # SECONDS
  read -rt "$1" -u "$nobody" || true
}

# wait_until SECONDS COMMAND...: whether the command came true in that time.
wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -le "$end" ] || return 1
    nap 0.01
  done
}

# ---- processes ----

sessions=() # each mpirun leads a session of its own, by which its ranks are found even when it is dead

is_alive() { # PID; a zombie is not
  local state
  { read -r _ _ state _ <"/proc/$1/stat"; } 2>/dev/null && [ "$state" != Z ]
}

is_gone() {
  ! is_alive "$1"
}

# Processes of a session; not zombies, which may have to wait for an idle init.
members() { # SESSION
  ps -o pid=,state= -s "$1" | awk '$2 != "Z" { print $1 }'
}

no_members() {
  [ -z "$(members "$1")" ]
}

end_session() { # SESSION
  local pid
  for pid in $(members "$1"); do
    kill -KILL "$pid" 2>/dev/null
  done
}

clean_up() {
  local status=$? session
  trap - EXIT
  for session in "${sessions[@]}"; do
    end_session "$session"
    wait_until 5 no_members "$session"
  done
  [ -z "${LOCKSTEP_TEST_KEEP:-}" ] || cp -r "$scratch/a place" "$LOCKSTEP_TEST_KEEP" # to look at, by hand
  cd / && rm -rf "$scratch" ${shared:+"$shared"}
  if [ "$status" -eq 0 ] && [ "$failures" -gt 0 ]; then
    printf '%d checks failed\n' "$failures"
    status=1
  fi
  exit "$status"
} 2>/dev/null
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# ---- jobs ----

# The embedded digits, 8 leaves, 200 steps of about a millisecond; validation has only one purpose, see `slowly`.
cat >job.yaml <<'YAML'
run: run
data:
  train: {format: digits, count: 1000}
  validation: {format: digits, seed: 7, count: 640}
model:
  - {layer: dense, units: 64}
  - {layer: relu}
  - {layer: dense, units: 10}
train: {steps: 200, batch: 64, microbatch: 8}
optimizer: {name: adamw, learning_rate: 1.0e-3}
clip_norm: 1.0
checkpoint: {every: 0, keep: 3}
log: {every: 1}
YAML

# For runs that are to be interrupted at a certain step: a validation after each leaves time to look, and no trace.
slowly=(--set validate.every=1 --set checkpoint.best=0)

# start NAME RANKS [ARGS...]: trains job.yaml in the run directory NAME, in the background. Its output goes to NAME.out
# and NAME.log; `mpirun` is the id of the process, to be passed to `finish`.
start() {
  local ranks=$2
  name=$1 began= life_before=$(life_of "$1")
  shift 2
  setsid mpirun -np "$ranks" "$LOCKSTEP" train job.yaml --set "run=$name" "$@" >"$name.out" 2>"$name.log" </dev/null &
  mpirun=$!
  sessions+=("$mpirun")
}

# Open MPI 4.1 can hang in its own end after a rank has ended badly, once in hundreds: all ranks are gone, it has told their exit code,
# and waits for itself. Prints that code. (`lockstep supervise` ends such a one; here it is not what is tried.)
told_at_its_end() {
  [ "$(members "$mpirun")" = "$mpirun" ] && sed -n 's/^ *Exit code: *\([0-9][0-9]*\)$/\1/p' "$name.log" | tail -n 1 | grep .
}

# Waits for what was started last and sets `code`. No run of these tests may take longer than this: it would be a hang.
patience=120
finish() {
  local told
  if ! wait_until "$patience" is_gone "$mpirun"; then
    if told=$(told_at_its_end); then
      printf 'note  %s: mpirun hangs in its own end, all ranks are gone (exit code %s)\n' "$name" "$told"
      end_session "$mpirun"
      code=$told
      return
    fi
    fail "$name: still running after $patience s"
    { tail -n 5 "$name.log"; ps -o pid=,stat=,wchan=,etimes=,args= -s "$mpirun"; } | cut -c1-150 | sed 's/^/      | /'
    end_session "$mpirun"
  fi
  { wait "$mpirun"; } 2>/dev/null
  code=$?
}

train() { # NAME RANKS [ARGS...]
  start "$@"
  finish
}

is_held() { # NAME
  grep -q 'The state is held' "$1.log"
}

# What was started last holds a state that it cannot save: it is asked to leave.
leave_held() {
  wait_until 60 is_held "$name" || fail "$name holds nothing"
  kill -USR1 "$mpirun"
  finish
}

# The processes of the ranks of what was started last, into the array `pids`: pids[r] is rank r.
find_ranks() {
  local pid rank
  pids=()
  for pid in $(ps -o pid=,comm= -s "$mpirun" | awk '$2 == "lockstep" { print $1 }'); do
    rank=$(tr '\0' '\n' 2>/dev/null <"/proc/$pid/environ" | sed -n 's/^OMPI_COMM_WORLD_RANK=//p')
    [ -z "$rank" ] || pids[rank]=$pid
  done
}

# ---- sick disks ----

# use_shim LIBRARY: makes ./shimmed, which is lockstep with that library (see sick_disk.c) on the ranks in SHIM_RANKS, a list with
# spaces, or "all".
use_shim() {
  cp "$1" "$scratch/shim.so" # LD_PRELOAD splits at spaces, and $scratch has none
  export SHIM=$scratch/shim.so SHIM_PROGRAM=$LOCKSTEP SHIM_RANKS=0
  cat >shimmed <<'SH'
#!/bin/sh
case " $SHIM_RANKS " in
  *" all "* | *" $OMPI_COMM_WORLD_RANK "*)
    LD_PRELOAD=$SHIM ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0 exec "$SHIM_PROGRAM" "$@" ;;
  *) exec "$SHIM_PROGRAM" "$@" ;;
esac
SH
  chmod +x shimmed
}

# sick RULES NAME RANKS [ARGS...]: trains on a disk that is sick by these rules.
sick() {
  start_sick "$@"
  finish
}

start_sick() {
  local LOCKSTEP=./shimmed
  export SICK=$1
  shift
  start "$@"
  unset SICK
}

# ---- results ----

fingerprint_of() { # NAME: of its last run
  sed -n 's/^\(finished\|saved\) .*fingerprint=\([0-9a-f]*\).*/\2/p' "$1.out"
}

checkpoint_of() { # NAME STEP: path
  printf '%s/checkpoints/step-%012d.h5' "$1" "$2"
}

# The newest step that has a file with a final name; -1: none.
newest_of() { # NAME
  local file newest=-1
  for file in "$1"/checkpoints/step-*.h5; do
    file=${file##*/step-}
    [ "$file" = '*.h5' ] || newest=$((10#${file%.h5}))
  done
  printf '%d' "$newest"
}

has_saved() { # NAME STEP
  [ "$(newest_of "$1")" -ge "$2" ]
}

# Every training line of the metrics without its times, as it stands: step, epoch, loss, lr, grad_norm.
# Validations (and other events), without the time of day.
validations_of() { # NAME [EVENT|EVENT...]
  grep -E "\"event\":\"(${2:-validation})\"" "$1/metrics.jsonl" | sed 's/,"time":"[^"]*"//'
}

steps_of() { # NAME
  sed -n 's/^\({"step":.*\),"samples_per_s".*/\1/p' "$1/metrics.jsonl"
}

# Whether the metrics know a step >= STEP.
has_step() { # NAME STEP
  local last
  last=$(tail -n 100 "$1/metrics.jsonl" 2>/dev/null | sed -n 's/^{"step":\([0-9]*\),.*/\1/p' | tail -n 1)
  [ "${last:-0}" -ge "$2" ]
}

# The line with which the newest life of a run began.
life_of() { # NAME
  grep '"event":"begin"' "$1/history.jsonl" 2>/dev/null | tail -n 1
}

has_begun() { # NAME
  local life
  life=$(life_of "$1")
  [ -n "$life" ] && [ "$life" != "$life_before" ]
}

# wait_step NAME STEP: what was started last has made that step; until it begins, the metrics are those of the life before.
wait_step() {
  [ -n "$began" ] || wait_until 60 has_begun "$1" || fail "$1 has not begun"
  began=yes
  wait_until 60 has_step "$1" "$2" || fail "$1 never came to step $2"
}

is_valid() { # NAME: every checkpoint with a final name
  local files=("$1"/checkpoints/step-*.h5)
  [ ! -e "${files[0]}" ] || "$LOCKSTEP" verify "${files[@]}" >/dev/null
}

hidden_files() { # NAME
  find "$1/checkpoints" -name '.*' -type f | wc -l
}

# ---- refusals ----

# What may not change when something is refused.
contents() { # DIRECTORY
  find "$1" -type f ! -name .lock -exec sha256sum {} + 2>/dev/null | sort -k 2
}

# refused CODE WORDS REGEX [ARGS...]: on 1 (not if light) and on 3 ranks, training in the directory `into` ends with that code, with exactly
# one message, in which the regex is found, and with all files as they were.
into=nothing
refused() {
  local expected=$1 words=$2 regex=$3 ranks before
  shift 3
  for ranks in ${only_ranks:-$([ -n "$light" ] || echo 1) 3}; do
    before=$(contents "$into")
    train "$into" "$ranks" "$@"
    expect_exit "$expected" "$words, $ranks ranks"
    check "$words: one message" equal "$(grep -c '^lockstep: ' "$name.log")" 1
    check "$words: $(sed -n 's/^lockstep: //p' "$name.log")" grep -Pzoq -e "(?s)\nlockstep: .*$regex" <(printf '\n' && cat "$name.log")
    check "$words: all files as they were" equal "$(contents "$into")" "$before"
  done
}
