#!/usr/bin/env python3
"""The format check and the clang-tidy run find what is planted in a small tree, and pass it without."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

LINT = pathlib.Path(__file__).resolve().parent
ROOT = LINT.parent.parent

GOOD = "#pragma once\n\n#include <string>\n\nvoid Keep(const std::string& text);\n"
COPIES = """#pragma once

#include <string>
#include <vector>

inline size_t Bytes(const std::vector<std::string>& texts) {
  size_t bytes = 0;
  for (const std::string text : texts) bytes += text.size();
  return bytes;
}
"""
BAD_SOURCE = COPIES.replace("#pragma once\n\n", "").replace("inline ", "")
BADLY_FORMATTED = "#pragma once\n\nvoid Keep( int  a ) ;\n"


class FormatAndTidy(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = pathlib.Path(scratch.name).resolve() / "a+b (c)"
        self.root.mkdir()
        for name in (".clang-format", ".clang-tidy"):
            shutil.copy(ROOT / name, self.root / name)
        (self.root / "switch/core").mkdir(parents=True)
        self.commands = []
        self.source("a.cc", '#include "switch/core/a.h"\n')

    def source(self, name, text):
        path = self.root / "switch/core" / name
        path.write_text(text, encoding="utf-8")
        arguments = ["c++", "-std=c++20", f"-I{self.root}", "-c", str(path)]
        self.commands.append({"directory": str(self.root), "file": str(path), "arguments": arguments})
        (self.root / "compile_commands.json").write_text(json.dumps(self.commands), encoding="utf-8")

    def run_check(self, script, *arguments, path=""):
        """`path`: a folder whose programs come before others of the same name."""
        command = [sys.executable, "-B", str(LINT / script), str(self.root), *arguments]
        environment = dict(os.environ, PATH=f"{path}{os.pathsep * bool(path)}{os.environ['PATH']}")
        return subprocess.run(command, text=True, capture_output=True, check=False, env=environment)

    def header(self, text):
        (self.root / "switch/core/a.h").write_text(text, encoding="utf-8")

    def test_good_sources_pass(self):
        self.header(GOOD)
        self.assertEqual(self.run_check("check_format.py").returncode, 0)
        self.assertEqual(self.run_check("tidy.py", str(self.root)).returncode, 0)

    def test_bad_format_is_found(self):
        self.header(BADLY_FORMATTED)
        result = self.run_check("check_format.py")
        self.assertEqual(result.returncode, 1)
        self.assertIn("switch/core/a.h", result.stderr)

    def test_a_finding_in_a_header_of_ours_is_found(self):
        self.header(COPIES)
        result = self.run_check("tidy.py", str(self.root))
        self.assertEqual(result.returncode, 1)
        self.assertIn("performance-for-range-copy", result.stdout)

    def test_a_finding_in_any_of_several_sources_is_found(self):
        self.header(GOOD)
        for planted in ("b.cc", "c.cc", "d.cc"):
            self.commands.clear()
            for name in ("b.cc", "c.cc", "d.cc"):
                self.source(name, BAD_SOURCE if name == planted else f"int Of_{name[0]}() {{ return 1; }}\n")
            result = self.run_check("tidy.py", str(self.root))
            self.assertEqual(result.returncode, 1, planted)
            self.assertRegex(result.stdout, planted + r":\d+:\d+: error: .*performance-for-range-copy")

    def test_a_clang_tidy_that_is_killed_is_no_pass(self):
        self.header(GOOD)
        killed = self.root / "clang-tidy"
        killed.write_text("#!/bin/sh\nkill -9 $$\n", encoding="utf-8")
        killed.chmod(0o755)
        result = self.run_check("tidy.py", str(self.root), path=str(self.root))
        self.assertEqual(result.returncode, 1)
        self.assertIn("clang-tidy ended with status -9", result.stdout)

    def test_sources_whose_names_are_the_same_pass_apart(self):
        self.header(GOOD)
        self.source("b.cc", "namespace {\nint Twice(int n) { return 2 * n; }\n}  // namespace\n\nint b = Twice(1);\n")
        self.source("c.cc", "namespace {\nint Twice(int n) { return n + n; }\n}  // namespace\n\nint c = Twice(1);\n")
        result = self.run_check("tidy.py", str(self.root))
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_a_build_without_our_sources_is_refused(self):
        (self.root / "compile_commands.json").write_text("[]", encoding="utf-8")
        self.assertEqual(self.run_check("tidy.py", str(self.root)).returncode, 2)


if __name__ == "__main__":
    unittest.main()
