#!/usr/bin/env bash
# Installs what building, testing and running Waystation need, as Debian 12 packages. Does nothing when all are there.
set -euo pipefail

packages=(
  # the tools
  g++ cmake ninja-build ccache mold pkg-config git ca-certificates python3
  clang clang-format clang-tidy libclang-rt-14-dev
  # the libraries
  libgrpc++-dev protobuf-compiler-grpc protobuf-compiler libprotobuf-dev
  librocksdb-dev libssl-dev libboost1.81-dev libabsl-dev libfmt-dev
  libspdlog-dev libyaml-cpp-dev libcli11-dev libre2-dev libpugixml-dev prometheus-cpp-dev libjemalloc-dev
  # for adapters in Python
  python3-grpcio python3-protobuf
  # for the tests and benchmarks
  libgtest-dev libgmock-dev librapidcheck-dev libbenchmark-dev libhiredis-dev openssl nodejs python3-yaml valgrind
)

fail() {
  echo "install-deps.sh: $*" >&2
  exit 1
}

release="an unknown system"
if [[ -r /etc/os-release ]]; then
  release=$(. /etc/os-release && echo "${ID:-unknown} ${VERSION_ID:-without a version}")
fi
[[ $release == "debian 12" ]] || fail "this is $release; expected debian 12, whose packages the build is made for"

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || state=absent
  [[ $state == installed ]] || missing+=("$package")
done
# Debian has npm as a package of its own, others' nodejs brings it.
command -v npm >/dev/null || missing+=(npm)
promtool=/usr/local/bin/promtool
if command -v promtool >/dev/null; then
  promtool=
fi
if ((${#missing[@]} == 0)) && [[ -z $promtool ]]; then
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || fail "missing: ${missing[*]} ${promtool:+promtool}; run this as root, or install sudo"
  as_root=(sudo)
fi
apt_get() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q "$@"
}

# Of Debian's package prometheus only the tool that tests alert rules is wanted: installed, it would start a server.
install_promtool() {
  local folder
  folder=$(mktemp -d) || return
  # Once: it would hold for every function that returns from here on.
  trap 'rm -rf "$folder"; trap - RETURN' RETURN
  chmod 755 "$folder"
  (cd "$folder" && apt-get -q download prometheus) &&
    dpkg-deb --fsys-tarfile "$folder"/prometheus_*.deb | tar -x -C "$folder" ./usr/bin/promtool &&
    "${as_root[@]}" install -m 755 "$folder/usr/bin/promtool" "$promtool"
}

echo "Installing: ${missing[*]} ${promtool:+promtool}"
apt_get update || fail "apt-get update failed; is the network reachable, and /etc/apt/sources.list right?"
if ((${#missing[@]} > 0)); then
  apt_get install -y --no-install-recommends "${missing[@]}" || fail "apt-get install failed; see above"
fi
if [[ -n $promtool ]]; then
  install_promtool || fail "promtool could not be taken out of Debian's package prometheus; see above"
fi
