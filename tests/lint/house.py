"""The house: which folders and files there are, that each folder explains itself, that each source is built."""

import os
import re

from source_tree import OUTSIDE, Finding

AT_THE_ROOT = {
    "CMakeLists.txt", "CMakePresets.json", "README.md",
    "switch", "proto", "adapters", "storage", "bench", "tests", "deploy",
    ".ci", ".clang-format", ".clang-tidy", ".gitignore",
}  # fmt: skip

WITH_README = (
    "proto", "switch", "switch/core", "switch/flow", "switch/rpc", "switch/daemon", "switch/ctl",
    "storage", "adapters", "adapters/gas", "adapters/http", "adapters/iso8583", "adapters/mobile", "adapters/sandbox",
    "adapters/sim", "adapters/remote", "adapters/remote/example", "adapters/conformance", "bench", "tests", "deploy",
)  # fmt: skip
# A README is a page.
MOST_README_LINES = 60


def check_root(tree):
    for name in sorted(os.listdir(tree.root)):
        if name not in AT_THE_ROOT and name not in OUTSIDE:
            yield Finding(name, 0, "house", "nothing else lies at the root; the top-level folders are given")


def check_readmes(tree):
    for folder in WITH_README:
        if f"{folder}/README.md" not in tree.files:
            yield Finding(folder, 0, "readme", "has no README.md")
    for path, lines in tree.matching("README.md"):
        if len(lines) > MOST_README_LINES:
            yield Finding(path, 0, "readme", f"{len(lines)} lines; a README has at most {MOST_README_LINES}")


SOURCE_IN_RECIPE = re.compile(r"[\w./${}-]+\.(?:cc|proto)\b")


def names(recipe, source):
    """Whether a CMakeLists.txt names `source`, a path relative to its folder; ${variable} stands for any word."""
    for token in SOURCE_IN_RECIPE.findall(re.sub(r"#[^\n]*", "", recipe)):
        pattern = re.sub(r"\\\$\\\{\w+\\\}", r"[\\w./-]*", re.escape(token))
        if re.fullmatch(pattern, source) or token.endswith("/" + source):
            return True
    return False


def check_every_source_is_built(tree):
    """Each source is named by the CMakeLists.txt of its folder or of one above it: what nothing builds is dead code."""
    for path, _ in tree.matching(".cc", ".proto"):
        folder, found = path, False
        while "/" in folder and not found:
            folder = folder.rpartition("/")[0]
            found = names(tree.files.get(f"{folder}/CMakeLists.txt", ""), path[len(folder) + 1 :])
        if not found:
            yield Finding(path, 0, "unbuilt", "no CMakeLists.txt names it")
