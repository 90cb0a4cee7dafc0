#!/usr/bin/env bash
# Installs, builds and runs all tests, each in every build it is meant for:
#   asan     all tests with AddressSanitizer and UndefinedBehaviorSanitizer
#   tsan     the layers without gRPC (core, storage, flow, adapters) with ThreadSanitizer
#   fuzz     the fuzz targets, a bounded number of runs each
#   release  all tests and the lint tests, on what is shipped; last, so that this ends with ctest's own summary
# Exit 0 only when every build and every test passed.
set -euo pipefail
cd "$(dirname "$0")/.."

# What was compiled in another clone of this repository is taken from the cache too.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=true CCACHE_SLOPPINESS=pch_defines,time_macros

jobs=$(nproc)
phases=()
failed=()
started=$SECONDS

# phase NAME COMMAND...: runs it, keeps how long it took; its exit status is the command's.
phase() {
  local name=$1 from=$SECONDS status=0
  shift
  printf '\n=== %s: %s\n' "$name" "$*"
  "$@" || status=$?
  phases+=("$(printf '%-18s %5d s  %s' "$name" $((SECONDS - from)) "$( ((status == 0)) && echo ok || echo FAILED)")")
  return $status
}

build() {
  cmake --preset "$1" && cmake --build --preset "$1" -j "$jobs"
}

run_tests() {
  ctest --preset "$1" -j "$jobs" --no-tests=error
}

phase "install" bash deploy/install-deps.sh
# The release build stands first: what doesn't compile is seen before anything else is spent.
phase "build release" build release
for preset in asan tsan fuzz; do
  phase "build $preset" build "$preset" || { failed+=("the $preset build"); continue; }
  phase "test $preset" run_tests "$preset" || failed+=("the $preset tests")
done

printf '\n=== so far, %d s\n' $((SECONDS - started))
printf '%s\n' "${phases[@]}"
if ((${#failed[@]} > 0)); then
  printf 'FAILED: %s (see above; this run will exit 1 whatever the release tests say)\n' "${failed[@]}"
fi

printf '\n=== test release\n'
status=0
run_tests release || status=$?
if ((${#failed[@]} > 0)); then
  exit 1
fi
exit $status
