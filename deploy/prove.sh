#!/usr/bin/env bash
# Runs one of the long proofs that nothing is lost and nothing doubled. The tests run short forms of all of them.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: deploy/prove.sh WHAT [N]
  Builds what it needs, runs one proof N times (rounds, seeds, operations: what N counts depends on the proof), and
  prints its figures on the last line. Exit 0 only when the proof holds; each fault is printed as it is found.

  WHAT          N, if not given   what it shows
  simulation    10000 seeds       the shipping flow, resolver, ledger and lanes in simulated time, with billers, clients
                                  and a disk that misbehave: the invariants hold after every run and every crash
  kill9         200 rounds        switchd is killed with SIGKILL under load: no answer is lost or changed, nothing
                                  happens twice, nothing stays open past its deadline
  power-loss    500 cuts          the disk forgets what was not synced, at random points: the same
  io-errors     300 operations    each of the first N operations on the disk fails, in six ways: the process stops and
                                  says why, or goes on rightly; what it answered holds
  disk-full     20 rounds         the disk fills up under load, and is freed: new work is refused in words, outcomes
                                  are still recorded, and work is taken again. Mounts a small disk of its own
  damage        500 bytes         a byte changed anywhere in a block, a row or a file is found and named; rows are
                                  repaired by a rebuild, the journal never is in silence
  outage        60 minutes        a biller is down for N minutes of simulated time, at 1,000 payments a second: nothing
                                  is lost, memory stays bounded, all is resolved after it returns, others are untouched
  start-time    3000 ms           with 2 million payments in the journal switchd serves within N ms of a start after
                                  kill -9

  Example: deploy/prove.sh power-loss 1000
TEXT
}

bad_usage() {
  usage >&2
  printf '\nprove.sh: %s\n' "$*" >&2
  exit 2
}

if (($# == 0)); then
  usage
  exit 2
fi
if [[ $1 == -h || $1 == --help ]]; then
  usage
  exit 0
fi
(($# <= 2)) || bad_usage "$3: unknown argument; expected one proof and perhaps a number"
n=${2-}
if [[ -n $n && ! $n =~ ^[1-9][0-9]{0,8}$ ]]; then
  bad_usage "$n: expected how often, a number from 1 on"
fi

case $1 in
  simulation) command=(sim --seeds "${n:-10000}") ;;
  kill9) command=(kill9 --rounds "${n:-200}") ;;
  power-loss) command=(power_loss --rounds "${n:-500}") ;;
  io-errors) command=(io_errors --operations "${n:-300}") ;;
  disk-full) command=(disk_full --rounds "${n:-20}") ;;
  damage) command=(damage --rounds "${n:-500}") ;;
  outage) command=(sim --outage "${n:-60}") ;;
  start-time) command=(start_time --within "${n:-3000}") ;;
  *) bad_usage "$1: no such proof" ;;
esac

cd "$(dirname "$0")/.."
# What was compiled in another clone of this repository is taken from the cache too.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=true
build_log=$(mktemp)
trap 'rm -f "$build_log"' EXIT
build() {
  if [[ ! -f build/release/build.ninja ]]; then
    bash deploy/install-deps.sh && cmake --preset release || return
  fi
  cmake --build --preset release --target "${command[0]}" -j "$(nproc)"
}
echo "Building ${command[0]} ..."
if ! build >"$build_log" 2>&1; then
  cat "$build_log" >&2
  echo "prove.sh: ${command[0]} can't be built; the reason stands above" >&2
  exit 1
fi
printf '%s\n' "${command[*]}"
"build/release/bin/${command[0]}" "${command[@]:1}"
