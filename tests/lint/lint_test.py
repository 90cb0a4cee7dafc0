#!/usr/bin/env python3
"""Plants one violation of each rule in a small clean tree: the rule must find it, at that place, and nothing else."""

import pathlib
import tempfile
import unittest

import house
from lint import lint

CLEAN = {
    "CMakeLists.txt": "project(waystation)\n",
    "README.md": "# Waystation\n",
    "switch/core/money.h": "#pragma once\n\n#include <cstdint>\n\n#include \"absl/status/status.h\"\n",
    "switch/core/money.cc": "#include \"switch/core/money.h\"\n",
    "switch/core/limits.h": "#pragma once\n\nconstexpr int kMaxThings = 3;\n",
    "switch/core/CMakeLists.txt": "add_library(ws_core STATIC money.cc)\n"
    "target_link_libraries(ws_core PUBLIC absl::status fmt::fmt PRIVATE ws_options)\n",
    "switch/flow/CMakeLists.txt":
    "target_link_libraries(ws_flow PUBLIC ws_core ws_storage ws_adapters Boost::headers)\n",
    "storage/rocks_commit_log.h": "#pragma once\n\n#include \"rocksdb/db.h\"\n#include \"switch/core/money.h\"\n",
    "storage/CMakeLists.txt": "add_library(ws_storage STATIC\n)\n"
    "target_link_libraries(ws_storage PUBLIC ws_core PRIVATE ws_journal_proto RocksDB::rocksdb OpenSSL::Crypto)\n",
    "proto/waystation/v1/things.proto": "syntax = \"proto3\";\nmessage Thing {\n  int64 amount_fen = 1;\n}\n",
    "proto/CMakeLists.txt": "ws_proto_library(ws_api_proto PROTOS waystation/v1/things.proto)\n",
    "bench/echo.proto": "syntax = \"proto3\";\n",
    "bench/ledger_benchmark.cc": "#include \"benchmark/benchmark.h\"\n",
    "bench/echo_server.cc": "#include \"bench/echo.grpc.pb.h\"\n#include \"grpcpp/grpcpp.h\"\n",
    "bench/CMakeLists.txt": "generate(bench/echo.proto)\nadd_executable(echo_server echo_server.cc)\n"
    "foreach(what ledger storage)\nadd_executable(${what}_benchmark ${what}_benchmark.cc)\nendforeach()\n"
    "target_link_libraries(echo_server PRIVATE gRPC::grpc++)\n",
}  # fmt: skip

# (rule, file, line, text of the file)
PLANTED = (
    # who may include whom
    ("layers", "switch/core/a.h", 2, "#pragma once\n#include \"storage/rocks_commit_log.h\"\n"),
    ("layers", "switch/core/a.h", 2, "#pragma once\n#include \"boost/asio/post.hpp\"\n"),
    ("layers", "switch/core/a.h", 2, "#pragma once\n#include <sys/stat.h>\n"),
    ("layers", "switch/core/a.h", 2, "#pragma once\n#include \"google/protobuf/message.h\"\n"),
    ("layers", "switch/core/a.h", 2, "#pragma once\n#include \"tests/core/fixture.h\"\n"),
    ("layers", "storage/a.h", 2, "#pragma once\n#include \"rocksdb/db.h\"\n"),
    ("layers", "storage/a.h", 2, "#pragma once\n#include <openssl/sha.h>\n"),
    ("layers", "storage/a.h", 2, "#pragma once\n#include \"adapters/biller_adapter.h\"\n"),
    ("layers", "storage/a.h", 2, "#pragma once\n#include \"waystation/v1/payment.pb.h\"\n"),
    ("layers", "adapters/a.h", 2, "#pragma once\n#include \"storage/commit_log.h\"\n"),
    ("layers", "adapters/a.h", 2, "#pragma once\n#include \"switch/flow/payment_flow.h\"\n"),
    ("layers", "switch/flow/a.h", 2, "#pragma once\n#include \"storage/commit_log.h\"\n"),
    ("layers", "switch/flow/a.h", 2, "#pragma once\n#include \"adapters/sandbox/sandbox_biller.h\"\n"),
    ("layers", "switch/flow/a.h", 2, "#pragma once\n#include <grpcpp/server.h>\n"),
    ("layers", "switch/rpc/a.h", 2, "#pragma once\n#include \"adapters/registry.h\"\n"),
    ("layers", "switch/rpc/a.h", 2, "#pragma once\n#include \"yaml-cpp/yaml.h\"\n"),
    ("layers", "switch/rpc/a.h", 2, "#pragma once\n#include \"storage/commit_log.h\"\n"),
    ("layers", "switch/ctl/a.h", 2, "#pragma once\n#include \"switch/flow/payment_flow.h\"\n"),
    ("layers", "switch/daemon/a.h", 2, "#pragma once\n#include \"rocksdb/db.h\"\n"),
    ("layers", "bench/a.h", 2, "#pragma once\n#include \"newlibrary/thing.h\"\n"),
    # who may link whom
    ("links", "adapters/CMakeLists.txt", 1, "target_link_libraries(ws_adapters PUBLIC ws_core ws_storage)\n"),
    ("links", "adapters/CMakeLists.txt", 2, "# ws_storage\ntarget_link_libraries(a\n  PUBLIC gRPC::grpc++)\n"),
    ("links", "switch/core/CMakeLists.txt", 2,
     "add_library(ws_core STATIC money.cc)\ntarget_link_libraries(ws_core PRIVATE Boost::headers)\n"),
    ("links", "switch/flow/CMakeLists.txt", 1, "target_link_libraries(ws_flow PUBLIC RocksDB::rocksdb)\n"),
    ("links", "switch/flow/CMakeLists.txt", 1, "target_link_libraries(ws_flow PUBLIC mystery)\n"),
    # the house
    ("house", "notes.md", 0, "words\n"),
    ("house", "lib", 0, None),
    ("readme", "adapters/README.md", 0, "line\n" * 61),
    ("unbuilt", "switch/core/forgotten.cc", 0, "int x;\n"),
    ("unbuilt", "proto/waystation/v1/forgotten.proto", 0, "syntax = \"proto3\";\n"),
    # what a line shows
    ("unfinished", "switch/core/a.h", 2, "#pragma once\n// TODO later\n"),
    ("unfinished", "deploy/README.md", 1, "FIXME\n"),
    ("unfinished", "switch/core/a.h", 2, "#pragma once\n#if 0\n#endif\n"),
    ("names", "switch/core/a.h", 2, "#pragma once\nclass PaymentManager {};\n"),
    ("names", "switch/core/a.h", 2, "#pragma once\nnamespace waystation::flow {}  // namespace StringUtil\n"),
    ("names", "switch/core/a.h", 2, "#pragma once\nstruct LedgerImpl {};\n"),
    ("names", "switch/core/string_util.h", 0, "#pragma once\n"),
    ("limits", "storage/a.h", 2, "#pragma once\ninline constexpr size_t kMaxQueue = 7;\n"),
    ("default", "switch/core/a.h", 2, "#pragma once\n  default: return 1;\n"),
    ("sleep", "tests/flow/a.h", 2, "#pragma once\n  std::this_thread::sleep_for(1ms);\n"),
    ("switched off", "tests/flow/a.h", 2, "#pragma once\n  GTEST_SKIP();\n"),
    ("switched off", "tests/flow/a.h", 2, "#pragma once\nTEST(Flow, DISABLED_Pays) {}\n"),
    ("swallowed", "deploy/a.sh", 1, "rm x || true\n"),
    ("machine", "deploy/a.sh", 1, "cat /home/someone/file\n"),
    ("process", "storage/README.md", 1, "as issue 2 asks\n"),
    ("suppressed", "switch/core/a.h", 2, "#pragma once\nint a;  // NOLINT\n"),
    ("size", "switch/core/a.h", 0, "#pragma once\n" + "int a;\n" * 800),
    ("size", "deploy/a.sh", 2, "#\n# " + "a" * 119 + "\n"),
    ("whitespace", "switch/core/a.h", 2, "#pragma once\nint a; \n"),
    ("whitespace", "switch/core/a.h", 0, "#pragma once\nint a;"),
    ("header", "switch/core/a.h", 1, "#ifndef A\n#define A\n#endif\n"),
    ("using", "switch/core/money.cc", 1, "using ::testing::Eq;\n// Eq is not here.\n"),
    ("using", "switch/core/money.cc", 3, "#include <vector>\n\nusing std::vector;\nstd::vector<int> a;\n"),
    ("proto", "proto/waystation/v1/things.proto", 2, "message T {\n  int64 amount = 1;\n}\n"),
    ("proto", "proto/waystation/v1/things.proto", 2, "service S {\n  rpc Do(T) returns (T);\n}\n"),
)  # fmt: skip

# What looks like a violation and is none.
INNOCENT = (
    ("tests/storage/a.h", "#pragma once\n#include \"rocksdb/db.h\"\n#include \"tests/storage/fixture.h\"\n"),
    ("storage/sha256.h", "#pragma once\n#include <openssl/evp.h>\n"),
    ("switch/core/a.h", "#pragma once\n// A common default: kept by Utilization.\nclass CommonwealthBank {};\n"),
    ("switch/core/a.h", "#pragma once\n  if (x > limits::kMaxThings) return kMaxThings;\n"),
    ("switch/core/a.h", "#pragma once\nclass ClockImpl : public Clock {};\n"),
    ("switch/core/a.h", "#pragma once\nint a;  // NOLINT(bugprone-thing): the interface asks for it\n"),
    ("switch/rpc/a.h", "#pragma once\n  default: return 1;\n"),
    ("switch/core/money.cc", "using std::vector;\n\nvector<int> a;\n"),
    ("deploy/a.sh", "cp switchd \"$prefix/opt/x\" && ls /usr/lib/x\n"),
    ("proto/waystation/v1/things.proto", "// Sends it.\nmessage T {\n  uint64 sequence = 1;\n}\n"),
)  # fmt: skip


class PlantedViolations(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.root = pathlib.Path(self.scratch.name)
        for folder in house.WITH_README:
            self.plant(f"{folder}/README.md", f"# {folder}\n")
        for path, text in CLEAN.items():
            self.plant(path, text)

    def plant(self, path, text):
        """Writes a file; text null: makes a folder."""
        target = self.root / path
        if text is None:
            target.mkdir()
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def test_the_clean_tree_is_clean(self):
        self.assertEqual(lint(self.root), [])

    def test_a_missing_readme_is_found(self):
        (self.root / "storage/README.md").unlink()
        self.assertEqual([(f.path, f.rule) for f in lint(self.root)], [("storage", "readme")])

    def test_build_output_is_not_judged(self):
        self.plant("build/release/a.h", "// TODO\n")
        self.plant("data/demo/a.h", "// TODO\n")
        self.assertEqual(lint(self.root), [])


def found_test(rule, path, line, text):
    def test(self):
        self.plant(path, text)
        self.assertEqual([(f.rule, f.path, f.line) for f in lint(self.root)], [(rule, path, line)])

    return test


def innocent_test(path, text):
    def test(self):
        self.plant(path, text)
        self.assertEqual(lint(self.root), [])

    return test


for index, planted in enumerate(PLANTED):
    name = f"test_planted_{index:02}_{planted[0].replace(' ', '_')}_is_found"
    setattr(PlantedViolations, name, found_test(*planted))
for index, innocent in enumerate(INNOCENT):
    setattr(PlantedViolations, f"test_innocent_{index:02}_passes", innocent_test(*innocent))


if __name__ == "__main__":
    unittest.main()
