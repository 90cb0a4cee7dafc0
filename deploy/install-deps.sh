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
  libspdlog-dev libyaml-cpp-dev libcli11-dev libre2-dev libpugixml-dev
  # for adapters in Python
  python3-grpcio python3-protobuf
  # for the tests and benchmarks
  libgtest-dev libgmock-dev librapidcheck-dev libbenchmark-dev openssl nodejs
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
if ((${#missing[@]} == 0)); then
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || fail "missing: ${missing[*]}; run this as root, or install sudo"
  as_root=(sudo)
fi
apt_get() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q "$@"
}

echo "Installing: ${missing[*]}"
apt_get update || fail "apt-get update failed; is the network reachable, and /etc/apt/sources.list right?"
apt_get install -y --no-install-recommends "${missing[@]}" || fail "apt-get install failed; see above"
