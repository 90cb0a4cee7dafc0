#!/usr/bin/env bash
# Installs, builds and starts the switch with billers to try it out, and walks through the main job.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: deploy/run.sh [--billers sandbox|wire] [--once] [--port PORT] [--programs DIR]
  Installs what is missing, builds the programs, starts switchd with deploy/switchd.yaml, registers two demo stations
  and walks through the main job, each command shown. Then it goes on serving until Ctrl-C.

  --billers sandbox  billers that live in the switch's process; the default
  --billers wire  billers that are reached over the network: a carrier by HTTPS and JSON, the power company by ISO 8583,
               a gas company by XML over HTTP, all three played by billersim; a water company by an adapter in Python.
               Configured by deploy/switchd-wire.yaml and deploy/billersim-wire.json; keys are made at the start
  --once       a fresh ledger that is thrown away and any free port; ends after the walk, exit 0 only if every step did
               what it says and switchd ended well
  --port PORT  listen on 127.0.0.1:PORT (default: 7400; any free port with --once)
  --programs DIR  installs and builds nothing: takes switchd and switchctl (and billersim for --billers wire) as they
               are in DIR

  Without --once the ledger stays in data/demo (data/wire, with the billers' books): run it again and the money is still
  there. Delete that folder to begin anew.
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

billers=sandbox
once=false
port=
programs=
while (($# > 0)); do
  case $1 in
    --billers)
      [[ ${2-} =~ ^(sandbox|wire)$ ]] || bad_usage "--billers: '${2-}' is not known; expected sandbox or wire"
      billers=$2
      shift
      ;;
    --once) once=true ;;
    --port)
      if ! [[ ${2-} =~ ^[0-9]{1,5}$ ]] || ((10#$2 < 1 || 10#$2 > 65535)); then
        bad_usage "--port: '${2-}' is no port; expected a number from 1 to 65535"
      fi
      port=$((10#$2))
      shift
      ;;
    --programs)
      [[ -d ${2-} ]] || bad_usage "--programs: '${2-}' is no folder; expected the one that has switchd and switchctl"
      programs=$(cd "$2" && pwd)
      shift
      ;;
    -h | --help) usage && exit 0 ;;
    *) bad_usage "$1: unknown argument" ;;
  esac
  shift
done

needed=(switchd switchctl)
if [[ $billers == wire ]]; then
  needed+=(billersim)
fi
if [[ -n $programs ]]; then
  for program in "${needed[@]}"; do
    [[ -x $programs/$program ]] || bad_usage "--programs: $programs does not have $program; expected: ${needed[*]}"
  done
fi

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
    cmake --preset release && cmake --build --preset release --target "${needed[@]}" -j "$(nproc)"
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
  kept=$run_dir
elif [[ $billers == wire ]]; then
  # What the billers have in their books belongs to this ledger, so all of it lies together.
  run_dir=data/wire
  data_dir=$run_dir/ledger
  kept=$run_dir
else
  run_dir=data
  data_dir=data/demo
  kept=$data_dir
fi
mkdir -p "$run_dir"
if [[ $billers == wire ]]; then
  # Two sets of billers would share one set of books. The billers have the lock too, should this script be killed.
  exec {lock}>"$run_dir/lock"
  flock -n "$lock" || fail "another run.sh, or billers that one left behind, use $run_dir: stop them first"
fi
config=$run_dir/switchd.yaml
log=$run_dir/switchd.log

daemon=
# The billers' processes, and what they are called: a log has that name.
biller_pids=()
biller_names=()
interrupted=false
# Waits until the process has ended; returns its exit status.
wait_for() {
  local pid=$1 status=0
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
  return $status
}
wait_for_daemon() {
  local pid=$daemon
  daemon=
  wait_for "$pid"
}
stop_daemon() {
  kill -TERM "$daemon" 2>/dev/null || :
  wait_for_daemon
}
# After switchd, which still has payments with them until it has ended.
stop_billers() {
  local i status worst=0
  for i in "${!biller_pids[@]}"; do
    status=0
    kill -TERM "${biller_pids[i]}" 2>/dev/null || :
    wait_for "${biller_pids[i]}" || status=$?
    if ((status != 0)); then
      cat "$run_dir/${biller_names[i]}.log" >&2
      echo "run.sh: ${biller_names[i]} ended with exit status $status; its output is above" >&2
      worst=1
    fi
  done
  biller_pids=()
  return $worst
}
clean_up() {
  if [[ -n $daemon ]]; then
    stop_daemon || :
  fi
  stop_billers || :
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

# start_biller NAME COMMAND...: in a session of its own, so that Ctrl-C reaches switchd first.
start_biller() {
  : >"$run_dir/$1.log"
  setsid "${@:2}" >"$run_dir/$1.log" 2>&1 &
  biller_pids+=($!)
  biller_names+=("$1")
}
# await_biller NAME LINE: until the log of the biller that was started last has a line that begins so.
await_biller() {
  local attempt
  for ((attempt = 0; attempt < 300; attempt++)); do
    [[ $interrupted == false ]] || exit 130
    if grep -q "^$2" "$run_dir/$1.log"; then
      return
    fi
    if ! kill -0 "${biller_pids[-1]}" 2>/dev/null; then
      unset "biller_pids[-1]"
      break
    fi
    sleep 0.1
  done
  cat "$run_dir/$1.log" >&2
  ((attempt < 300)) || fail "$1 was not ready within 30 s; its output is above"
  fail "$1 did not start; its output is above"
}
# biller_address LOG LINE: what follows LINE there.
biller_address() {
  sed -nE "s/^$2 (127\.0\.0\.1:[0-9]+)$/\1/p" "$run_dir/$1.log"
}
# The keys that both sides have, and the carrier's certificate, which is its own CA; anew at each start.
make_keys() (
  umask 077
  openssl rand -hex 32 >"$run_dir/carrier-hmac.key"
  openssl rand -hex 16 >"$run_dir/electricity-mac.key"
  if ! openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=carrier \
    -addext subjectAltName=IP:127.0.0.1 -keyout "$run_dir/carrier.key" -out "$run_dir/carrier.pem" \
    2>"$run_dir/openssl.log"; then
    cat "$run_dir/openssl.log" >&2
    fail "openssl could not make the carrier's certificate; its output is above"
  fi
  rm "$run_dir/openssl.log"
)
# The billers of deploy/billersim-wire.json on free ports, and the water company.
start_billers() {
  make_keys
  sed -E -e "s|127\.0\.0\.1:75[0-9]{2}|127.0.0.1:0|" -e "s|data/wire/|$run_dir/|" \
    deploy/billersim-wire.json >"$run_dir/billersim.json"
  start_biller billersim "$programs/billersim" --config "$run_dir/billersim.json"
  await_biller billersim ready
  start_biller water /usr/bin/python3 -B adapters/remote/example/water_company.py --books "$run_dir/water.db" \
    serve --listen 127.0.0.1:0
  await_biller water "listening on "
  echo "The billers listen: mobile on $(biller_address billersim mobile)," \
    "electricity on $(biller_address billersim electricity), gas on $(biller_address billersim gas)," \
    "water on $(biller_address water "listening on"); their logs are $run_dir/billersim.log and $run_dir/water.log."
}

# The example configuration with this run's addresses and folder.
if [[ $billers == wire ]]; then
  start_billers
  sed -E -e "s|127\.0\.0\.1:7400|127.0.0.1:${port:-0}|" -e "s|data/wire/|$run_dir/|" \
    -e "s|127\.0\.0\.1:7501|$(biller_address water "listening on")|" \
    -e "s|127\.0\.0\.1:7502|$(biller_address billersim electricity)|" \
    -e "s|127\.0\.0\.1:7503|$(biller_address billersim gas)|" \
    -e "s|127\.0\.0\.1:7504|$(biller_address billersim mobile)|" \
    deploy/switchd-wire.yaml >"$config"
else
  sed -E -e "s|^( *address:).*|\1 127.0.0.1:${port:-0}|" -e "s|^( *data_dir:).*|\1 $data_dir|" \
    deploy/switchd.yaml >"$config"
fi

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
  local wire=()
  if [[ $billers == wire ]]; then
    wire=(--billersim "$programs/billersim" "$run_dir/billersim.json")
  fi
  python3 deploy/walk.py --switchctl "$programs/switchctl" --address "$address" "${wire[@]}"
}
if ! walk; then
  [[ $interrupted == false ]] || exit 130
  echo "--- the last lines of switchd's log" >&2
  tail -n 20 "$log" >&2
  [[ $once == true ]] || fail "a ledger that was changed by hand may not suit the walk: delete $kept to begin anew"
  exit 1
fi

if [[ $once == true ]]; then
  status=0
  stop_daemon || status=$?
  ((status == 0)) || failed "ended with exit status $status after SIGTERM"
  stop_billers || exit 1
  echo "switchd was told to stop and ended cleanly$([[ $billers == sandbox ]] || echo ', and then its billers')."
  exit 0
fi

scripts=adapters/sandbox/README.md
again=deploy/run.sh
more=
if [[ $billers == wire ]]; then
  scripts=deploy/billersim-wire.json
  again+=" --billers wire"
  more="
  # the carrier refuses connections: not sent, and after ten of these out of service; accept mobile ends it
  (exec 3<>/dev/tcp/$(biller_address billersim control | tr : /) && echo refuse mobile >&3 && head -n 1 <&3)"
fi
# echo, not cat: Ctrl-C would end a program of its own in the middle of the text, and this script with it.
echo "
switchd goes on serving on $address; its log is $log. Ctrl-C stops it.
In another terminal:

  cd $PWD
  export PATH=\"$programs:\$PATH\" WAYSTATION_ADDRESS=$address
  switchctl --help                       # a page that teaches
  switchctl biller list                  # what each biller can do
  switchctl biller show mobile           # its card, how it is doing, its last error
  # the biller's answer is lost, and found out a second later; the number's last digits script the
  # billers, $scripts has them all
  switchctl pay --station 390001000017 --operator 3900010001 \\
      --biller mobile --customer 13900010092 --amount 20.00$more
  # every change of state of this shop's payments, also those to come; Ctrl-C ends it
  switchctl payment watch --station 390001000017 --after 0
  # the other shop has no money: declined, until some is paid in, or credit granted
  switchctl pay --station 390001000025 --operator 3900010002 \\
      --biller mobile --customer 13900010012 --amount 20.00
  switchctl credit grant 390001000025 100.00
  # the journal proves itself, also while switchd runs
  switchctl journal verify --data $data_dir
  # kill -9 it and run $again again: every answer that was given is still there
  kill -9 $daemon"

status=0
wait_for_daemon || status=$?
[[ $interrupted == true ]] || failed "ended by itself with exit status $status"
((status == 0)) || failed "ended with exit status $status after SIGTERM"
stop_billers || exit 1
echo "Stopped cleanly."
