#!/usr/bin/env bash
# Installs, builds and runs all tests, each in every build it is meant for:
#   asan     all tests with AddressSanitizer and UndefinedBehaviorSanitizer
#   tsan     the layers without gRPC (core, storage, flow, adapters) with ThreadSanitizer
#   fuzz     the fuzz targets, for a bounded time each
#   release  all tests and the lint tests, on what is shipped
# The first build or test run that fails ends it, so that the last thing printed is what failed: the compiler's error or
# ctest's summary. When none does, it is ctest's summary of the release tests. Exit 0 only when every build and every
# test passed.
set -euo pipefail
cd "$(dirname "$0")/.."

# What was compiled in another clone of this repository is taken from the cache too.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=true

jobs=$(nproc)

# phase NAME COMMAND...: runs it, and says how long it took.
phase() {
  local name=$1 from=$SECONDS
  shift
  printf '\n=== %s: %s\n' "$name" "$*"
  "$@"
  printf '=== %s: %d s\n' "$name" $((SECONDS - from))
}

build() {
  cmake --preset "$1"
  cmake --build --preset "$1" -j "$jobs"
}

run_tests() {
  ctest --preset "$1" -j "$jobs" --no-tests=error
}

phase "install" bash deploy/install-deps.sh
# The release build stands first: what doesn't compile is seen before anything else is spent.
phase "build release" build release
for preset in asan tsan fuzz; do
  phase "build $preset" build "$preset"
  phase "test $preset" run_tests "$preset"
done
printf '\n=== %d s so far; test release\n' "$SECONDS"
run_tests release
