"""Who may include whom, and who may link whom.

The same table for both: an include is judged by the folder it reaches into, a link by the CMake target. Tests may use
anything; nothing but a test may use a test.
"""

import dataclasses
import re

from source_tree import Finding


@dataclasses.dataclass(frozen=True)
class Layer:
    """What the files of one folder may use besides the standard library, Abseil and fmt."""

    # Prefixes of our own headers: a folder with a slash at the end, or one header.
    headers: tuple
    # Kinds of LIBRARIES.
    libraries: tuple = ()
    # Our own CMake targets.
    targets: tuple = ()


CORE = "switch/core/"
JOURNAL_PROTO = "waystation/journal/v1/"
API_PROTO = "waystation/v1/"
# What of storage the services may see: the sequencer, the index, the journal as it is read, and the digest that seals
# a token.
READ_SIDE = ("storage/sequencer.h", "storage/sequencer_tally.h", "storage/index.h", "storage/journal_reader.h",
             "storage/rows.h", "storage/key.h", "storage/sha256.h")

LAYERS = {
    "switch/core/": Layer(headers=(CORE,)),
    "storage/": Layer(
        headers=(CORE, "storage/", JOURNAL_PROTO),
        libraries=("rocksdb", "openssl", "protobuf", "posix"),
        targets=("ws_core", "ws_journal_proto"),
    ),
    "adapters/remote/": Layer(
        headers=(CORE, "adapters/", "waystation/adapter/v1/", "grpc_health/v1/"),
        libraries=("boost", "grpc", "protobuf"),
        targets=("ws_core", "ws_adapter_proto"),
    ),
    "adapters/conformance/": Layer(
        headers=(CORE, "adapters/"),
        libraries=("boost", "re2", "cli11"),
        targets=("ws_core", "ws_adapters"),
    ),
    # billersim's water company plays an adapter process, so it is the other end of adapters/remote/. No other host has
    # gRPC.
    "adapters/sim/remote/": Layer(
        headers=(CORE, "adapters/", "waystation/adapter/v1/"),
        libraries=("boost", "grpc", "protobuf"),
        targets=("ws_core", "ws_adapters", "ws_adapter_proto", "ws_billersim"),
    ),
    # A program of its own; it comes first, for it lies within the next.
    "adapters/sim/": Layer(
        headers=(CORE, "adapters/"),
        libraries=("boost", "openssl", "cli11", "posix", "pugixml"),
        targets=("ws_core", "ws_adapters"),
    ),
    "adapters/": Layer(
        headers=(CORE, "adapters/"),
        libraries=("boost", "openssl", "re2", "pugixml", "iconv"),
        targets=("ws_core",),
    ),
    "switch/flow/": Layer(
        headers=(CORE, "switch/flow/", "storage/sequencer.h", "adapters/biller_adapter.h"),
        libraries=("boost",),
        targets=("ws_core", "ws_storage", "ws_adapters"),
    ),
    "switch/rpc/": Layer(
        headers=(CORE, "switch/flow/", "switch/rpc/", *READ_SIDE, "adapters/biller_adapter.h", API_PROTO),
        libraries=("grpc", "protobuf", "boost", "re2"),
        targets=("ws_core", "ws_storage", "ws_flow", "ws_api_proto"),
    ),
    "switch/daemon/": Layer(
        headers=(CORE, "switch/flow/", "switch/rpc/", "switch/daemon/", "storage/", "adapters/", "waystation/"),
        libraries=("grpc", "protobuf", "boost", "spdlog", "yaml-cpp", "cli11", "posix", "prometheus"),
        targets=("ws_core", "ws_storage", "ws_adapters", "ws_flow", "ws_rpc", "ws_configuration", "ws_daemon",
                 "ws_config_proto", "ws_api_proto", "ws_journal_proto", "ws_jemalloc"),
    ),
    "switch/ctl/": Layer(
        headers=(CORE, "switch/ctl/", "storage/", API_PROTO, JOURNAL_PROTO),
        libraries=("grpc", "protobuf", "cli11", "posix"),
        targets=("ws_core", "ws_storage", "ws_api_proto", "ws_journal_proto", "ws_ctl"),
    ),
    "bench/": Layer(
        headers=(CORE, "storage/", "switch/flow/", "bench/", "adapters/registry.h", "adapters/iso8583/",
                 "adapters/sim/certificates.h", API_PROTO, JOURNAL_PROTO, "switch/daemon/yaml_to_proto.h"),
        libraries=("grpc", "protobuf", "boost", "cli11", "benchmark", "hiredis", "posix"),
        targets=("ws_core", "ws_storage", "ws_flow", "ws_adapters", "ws_certificates", "ws_api_proto",
                 "ws_journal_proto", "ws_bench", "ws_echo_proto", "ws_configuration", "ws_boost_json",
                 "ws_jemalloc"),
    ),
}  # fmt: skip

# Kind of library: how its headers and its CMake targets begin.
LIBRARIES = {
    "absl": (("absl/",), ("absl::",)),
    "fmt": (("fmt/",), ("fmt::",)),
    "boost": (("boost/",), ("Boost::",)),
    "rocksdb": (("rocksdb/",), ("RocksDB::",)),
    "openssl": (("openssl/",), ("OpenSSL::",)),
    "grpc": (("grpc/", "grpcpp/"), ("gRPC::",)),
    "protobuf": (("google/protobuf/",), ("protobuf::",)),
    "re2": (("re2/",), ("re2::", "PkgConfig::RE2")),
    "spdlog": (("spdlog/",), ("spdlog::",)),
    "yaml-cpp": (("yaml-cpp/",), ("yaml-cpp",)),
    "prometheus": (("prometheus/",), ("prometheus-cpp::",)),
    "iconv": (("iconv.h",), ()),
    "pugixml": (("pugixml.hpp",), ("pugixml::",)),
    "cli11": (("CLI/",), ("CLI11::",)),
    "benchmark": (("benchmark/",), ("benchmark::",)),
    "hiredis": (("hiredis/",), ("PkgConfig::hiredis",)),
    "gtest": (("gtest/", "gmock/"), ("GTest::",)),
    "rapidcheck": (("rapidcheck",), ("rapidcheck",)),
    "posix": (
        ("sys/", "unistd.h", "fcntl.h", "signal.h", "dirent.h", "netinet/", "arpa/", "netdb.h", "spawn.h", "poll.h",
         "pthread.h", "pwd.h", "sched.h", "termios.h", "time.h", "linux/"),
        (),
    ),
}  # fmt: skip
EVERYWHERE = ("absl", "fmt")
# Targets without code of their own.
NEUTRAL_TARGETS = {"ws_options", "Threads::Threads"}

# Libraries whose headers stay behind a few files, wherever else the layer is allowed to link them.
BEHIND = {
    "rocksdb": re.compile(r"^storage/(rocks_[a-z_]+|backup)\.(h|cc)$"),
    "prometheus": re.compile(r"^switch/daemon/metrics(_endpoint)?\.(h|cc)$"),
    "spdlog": re.compile(r"^switch/daemon/async_log\.(h|cc)$"),
    "openssl": re.compile(r"^(storage/sha256\.(h|cc)|adapters/[a-z0-9_]+/.*)$"),
}

OWN_FOLDERS = ("switch/", "storage/", "adapters/", "bench/", "tests/", "waystation/", "grpc_health/", "deploy/",
               "proto/")  # fmt: skip
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")')
LINK = re.compile(r"target_link_libraries\s*\(\s*([^\s)]+)([^)]*)\)", re.DOTALL)
LINK_KEYWORDS = {"PUBLIC", "PRIVATE", "INTERFACE"}


def layer_of(path):
    """(folder, Layer) that `path` lies in, the first of the table; null for what is not held to it (tests, proto)."""
    for folder, layer in LAYERS.items():
        if path.startswith(folder):
            return folder, layer
    return None, None


def library_of_header(header):
    for kind, (headers, _) in LIBRARIES.items():
        if header.startswith(headers):
            return kind
    # A C++ standard header has no slash and no .h; the few C ones that are left are judged as unknown.
    return "std" if "/" not in header and not header.endswith(".h") else None


def library_of_target(target):
    for kind, (_, targets) in LIBRARIES.items():
        if targets and target.startswith(targets):
            return kind
    return None


def judge_include(path, folder, layer, header, generated):
    """What is wrong with `path` including `header`; null when nothing is. `generated` headers are found beside it."""
    if header.startswith(OWN_FOLDERS) or generated:
        if generated or header.startswith(layer.headers):
            return None
        return f"{folder} may not include {header}"
    kind = library_of_header(header)
    if kind is None:
        return f"{header}: unknown library; add it to the table in tests/lint/layers.py if the layer is meant to use it"
    if kind in BEHIND and not BEHIND[kind].match(path):
        return f"{header}: {kind} stays behind {BEHIND[kind].pattern}"
    if kind != "std" and kind not in EVERYWHERE and kind not in layer.libraries:
        return f"{folder} may not use {kind} ({header})"
    return None


def check_includes(tree):
    for path, lines in tree.matching(".h", ".cc"):
        folder, layer = layer_of(path)
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            header = match.group(1) or match.group(2)
            if header.startswith("tests/") and not path.startswith("tests/"):
                yield Finding(path, number, "layers", f"only tests may include {header}")
            elif layer:
                # The protos of a folder's own (bench/echo.proto) are generated beside it.
                generated = header.endswith(".pb.h") and re.sub(r"(\.grpc)?\.pb\.h$", ".proto", header) in tree.files
                wrong = judge_include(path, folder, layer, header, generated and header.startswith(folder))
                if wrong:
                    yield Finding(path, number, "layers", wrong)


def judge_link(folder, layer, target, own_targets):
    if target in NEUTRAL_TARGETS or target in own_targets:
        return None
    if target.startswith("ws_"):
        return None if target in layer.targets else f"{folder} may not link {target}"
    kind = library_of_target(target)
    if kind is None:
        return f"{target}: unknown library; add it to the table in tests/lint/layers.py if the layer is meant to use it"
    if kind not in EVERYWHERE and kind not in layer.libraries:
        return f"{folder} may not link {target}"
    return None


def check_links(tree):
    for path, text in tree.files.items():
        folder, layer = layer_of(path)
        if not layer or not path.endswith("CMakeLists.txt"):
            continue
        text = re.sub(r"#[^\n]*", lambda comment: " " * len(comment.group()), text)
        own_targets = set(re.findall(r"add_(?:library|executable)\s*\(\s*([A-Za-z0-9_]+)", text))
        for match in LINK.finditer(text):
            number = text.count("\n", 0, match.start()) + 1
            for target in match.group(2).split():
                if target in LINK_KEYWORDS or target.startswith("$"):
                    continue
                wrong = judge_link(folder, layer, target, own_targets)
                if wrong:
                    yield Finding(path, number, "links", wrong)
