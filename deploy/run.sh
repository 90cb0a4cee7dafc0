#!/usr/bin/env bash
# Installs, builds and starts the switch with its sandbox billers, and walks through the main job.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: deploy/run.sh [--once] [--port PORT] [--programs DIR]
  Installs what is missing, builds switchd and switchctl, starts switchd with deploy/switchd.yaml, registers two demo
  stations and walks through the main job, each command shown. Then it goes on serving until Ctrl-C.

  --once       a fresh ledger that is thrown away and any free port; ends after the walk, exit 0 only if every step did
               what it says and switchd ended well
  --port PORT  listen on 127.0.0.1:PORT (default: 7400; any free port with --once)
  --programs DIR  installs and builds nothing: takes switchd and switchctl as they are in DIR

  Without --once the ledger stays in data/demo: run it again and the money is still there. Delete that folder to
  begin anew.
TEXT
}

fail() {
  echo "run.sh: $*" >&2
  exit 1
}
bad_usage() {
  usage >&2
  echo "run.sh: $*" >&2
  exit 2
}

once=false
port=
programs=
while (($# > 0)); do
  case $1 in
    --once) once=true ;;
    --port)
      if ! [[ ${2-} =~ ^[0-9]{1,5}$ ]] || ((10#$2 < 1 || 10#$2 > 65535)); then
        bad_usage "--port: '${2-}' is no port; expected a number from 1 to 65535"
      fi
      port=$((10#$2))
      shift
      ;;
    --programs)
      if ! [[ -x ${2-}/switchd && -x ${2-}/switchctl ]]; then
        bad_usage "--programs: '${2-}' does not have switchd and switchctl; expected the folder that has both"
      fi
      programs=$(cd "$2" && pwd)
      shift
      ;;
    -h | --help) usage && exit 0 ;;
    *) bad_usage "$1: unknown argument" ;;
  esac
  shift
done

cd "$(dirname "$0")/.."
if [[ $once == false ]]; then
  port=${port:-7400}
fi
if [[ -n $port ]] && (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
  fail "port $port is taken on 127.0.0.1: stop what listens there, or choose another:" \
    "deploy/run.sh --port $((port % 65535 + 1))"
fi

if [[ -z $programs ]]; then
  bash deploy/install-deps.sh
  echo "Building (some minutes the first time) ..."
  build_log=$(mktemp)
  build() {
    cmake --preset release && cmake --build --preset release --target switchd switchctl -j "$(nproc)"
  }
  if ! build >"$build_log" 2>&1; then
    cat "$build_log" >&2
    rm -f "$build_log"
    fail "the build failed, see above"
  fi
  rm -f "$build_log"
  programs=$PWD/build/release/bin
fi

mkdir -p build
if [[ $once == true ]]; then
  run_dir=$(mktemp -d build/walk.XXXXXX)
  data_dir=$run_dir/ledger
else
  run_dir=data
  data_dir=data/demo
fi
mkdir -p "$run_dir"
config=$run_dir/switchd.yaml
log=$run_dir/switchd.log

# The example configuration with this run's address and data folder.
sed -E -e "s|^( *address:).*|\1 127.0.0.1:${port:-0}|" -e "s|^( *data_dir:).*|\1 $data_dir|" \
  deploy/switchd.yaml >"$config"

daemon=
interrupted=false
# Waits until switchd has ended; returns its exit status.
wait_for_daemon() {
  local pid=$daemon status=0
  wait "$pid" || status=$?
  # A signal to this script ends a wait early, with a status above 128.
  while ((status > 128)) && kill -0 "$pid" 2>/dev/null; do
    status=0
    wait "$pid" || status=$?
  done
  if ((status > 128)) && [[ $interrupted == true ]]; then
    status=0
    wait "$pid" || status=$?
  fi
  daemon=
  return $status
}
stop_daemon() {
  kill -TERM "$daemon" 2>/dev/null || :
  wait_for_daemon
}
clean_up() {
  if [[ -n $daemon ]]; then
    stop_daemon || :
  fi
  if [[ $once == true ]]; then
    rm -rf "$run_dir"
  fi
}
trap clean_up EXIT
# The daemon is told at once: a signal that comes just before a `wait` would not end it.
on_signal() {
  interrupted=true
  if [[ -n $daemon ]]; then
    kill -TERM "$daemon" 2>/dev/null || :
  fi
}
trap on_signal INT TERM

# Here, since it is read below, perhaps before the daemon's own shell has made it.
: >"$log"
"$programs/switchd" --config "$config" >"$log" 2>&1 &
daemon=$!

# The daemon's own words of why it did not start, and the end.
failed() {
  cat "$log" >&2
  fail "switchd $1; its output is above"
}

address=
for ((attempt = 0; attempt < 300; attempt++)); do
  [[ $interrupted == false ]] || exit 130
  kill -0 "$daemon" 2>/dev/null || failed "did not start"
  if [[ -z $address ]]; then
    address=$(sed -nE 's/^listening on (127\.0\.0\.1:[0-9]+).*/\1/p' "$log")
  fi
  if [[ -n $address ]] && "$programs/switchctl" --address "$address" health >/dev/null 2>&1; then
    break
  fi
  sleep 0.1
done
((attempt < 300)) || failed "was not healthy within 30 s"
echo "switchd serves on $address, its ledger is in $data_dir"

walk() {
  python3 deploy/walk.py --switchctl "$programs/switchctl" --address "$address"
}
if ! walk; then
  [[ $interrupted == false ]] || exit 130
  echo "--- the last lines of switchd's log" >&2
  tail -n 20 "$log" >&2
  [[ $once == true ]] || fail "a ledger that was changed by hand may not suit the walk: delete $data_dir to begin anew"
  exit 1
fi

if [[ $once == true ]]; then
  status=0
  stop_daemon || status=$?
  ((status == 0)) || failed "ended with exit status $status after SIGTERM"
  echo "switchd was told to stop and ended cleanly."
  exit 0
fi

# echo, not cat: Ctrl-C would end a program of its own in the middle of the text, and this script with it.
echo "
switchd goes on serving on $address; its log is $log. Ctrl-C stops it.
In another terminal:

  cd $PWD
  export PATH=\"$programs:\$PATH\" WAYSTATION_ADDRESS=$address
  switchctl --help                       # a page that teaches
  switchctl biller list                  # what each biller can do
  # the biller's answer is lost, and found out a second later; the number's last digits script the
  # sandbox, adapters/sandbox/README.md has them all
  switchctl pay --station 390001000017 --operator 3900010001 \\
      --biller mobile --customer 13900010092 --amount 20.00
  # every change of state of this shop's payments, also those to come; Ctrl-C ends it
  switchctl payment watch --station 390001000017 --after 0
  # the other shop has no money: declined, until some is paid in, or credit granted
  switchctl pay --station 390001000025 --operator 3900010002 \\
      --biller mobile --customer 13900010012 --amount 20.00
  switchctl credit grant 390001000025 100.00
  # the journal proves itself, also while switchd runs
  switchctl journal verify --data $data_dir
  # kill -9 it and run deploy/run.sh again: every answer that was given is still there
  kill -9 $daemon"

status=0
wait_for_daemon || status=$?
[[ $interrupted == true ]] || failed "ended by itself with exit status $status"
((status == 0)) || failed "ended with exit status $status after SIGTERM"
echo "Stopped cleanly."
