"""What STYLE forbids and a line of text shows."""

import re

from source_tree import Finding

MOST_LINES = 800
MOST_COLUMNS = 120
# C++ is held to its columns by clang-format, which leaves tables in raw strings alone.
COLUMN_SUFFIXES = (".proto", ".py", ".sh", ".yaml", ".cfg", "CMakeLists.txt", ".cmake")
CODE = (".h", ".cc")
LINT = "tests/lint/"

# (rule, files' endings, folders, pattern, what to do). The folders are prefixes; the lint's own files, which name what
# they forbid, are left out of all of them.
EVERYWHERE = ("",)
# Where queues, batches, pages and retries are; what a parser of one file bounds for itself stays with it.
BOUNDED = ("switch/core/", "switch/flow/", "switch/rpc/", "storage/")
FORBIDDEN = (
    ("unfinished", ("",), EVERYWHERE, r"\b(TODO|FIXME|XXX|HACK)\b", "finish it, or leave it out"),
    ("unfinished", CODE, EVERYWHERE, r"^\s*#\s*if\s+0\b", "delete dead code"),
    ("names", CODE, EVERYWHERE,
     r"\b(?:class|struct|namespace)\s+(?:\w*(?:Manager|Helper|Utils?|Common)(?![a-z])\w*|(?:util|common|helpers?)\b)",
     "name the thing by what it is in the field"),
    ("names", CODE, EVERYWHERE, r"\b(?:class|struct)\s+\w+Impl\s*(?:final\s*)?\{",
     "Impl needs an interface that it implements"),
    ("limits", CODE, BOUNDED, r"^\s*(?:inline\s+|static\s+)*constexpr\s[^=({]*\bkMax[A-Z]\w*\s*[={]",
     "bounds stand together in switch/core/limits.h"),
    ("default", CODE, ("switch/core/",), r"^\s*default\s*:",
     "name every enumerator, so that the compiler sees a new one"),
    ("sleep", (".cc", ".h", ".py", ".sh"), ("tests/",),
     r"\b(sleep_for|sleep_until|usleep|nanosleep|time\.sleep)\b|^\s*sleep\s", "wait for the event itself"),
    ("switched off", CODE, ("tests/",), r"\bGTEST_SKIP\b|\bTEST\w*\(\s*\w+,\s*DISABLED_", "a test runs or is deleted"),
    ("swallowed", (".sh", "run", ".yaml", "CMakeLists.txt"), EVERYWHERE, r"\|\|\s*true\b", "handle the failure"),
    ("machine", ("",), EVERYWHERE, r"(?<![\w.$}:])/(?:work|home|root|Users|tmp)/", "no path of one machine"),
    ("process", ("",), EVERYWHERE, r"(?i)\bissue\s*#?\d+\b", "the repository speaks of the project alone"),
    ("suppressed", CODE, EVERYWHERE, r"NOLINT(?!\w*\([\w.,-]+\): \w)", "write NOLINT...(check): why"),
)  # fmt: skip
COMPILED = tuple((rule, endings, folders, re.compile(pattern), advice)
                 for rule, endings, folders, pattern, advice in FORBIDDEN)  # fmt: skip
LIMITS_HEADER = "switch/core/limits.h"


def check_forbidden(tree):
    for rule, endings, folders, pattern, advice in COMPILED:
        for path, lines in tree.matching(*endings):
            if not path.startswith(folders) or path.startswith(LINT) or (rule == "limits" and path == LIMITS_HEADER):
                continue
            for number, line in enumerate(lines, 1):
                match = pattern.search(line)
                if match:
                    yield Finding(path, number, rule, f"'{match.group().strip()}': {advice}")


def check_file_names(tree):
    for path in tree.files:
        name = path.rpartition("/")[2].lower()
        if re.search(r"(^|[_-])(manager|helpers?|utils?|common|misc)([_.-]|$)", name):
            yield Finding(path, 0, "names", "a file is named by what is in it")


def check_size(tree):
    for path, lines in tree.matching(""):
        if len(lines) > MOST_LINES:
            yield Finding(path, 0, "size", f"{len(lines)} lines; {MOST_LINES} is too long")
    for path, lines in tree.matching(*COLUMN_SUFFIXES):
        for number, line in enumerate(lines, 1):
            if len(line) > MOST_COLUMNS:
                yield Finding(path, number, "size", f"{len(line)} columns; at most {MOST_COLUMNS}")


def check_whitespace(tree):
    for path, text in tree.files.items():
        if text and not text.endswith("\n"):
            yield Finding(path, 0, "whitespace", "does not end with a newline")
        for number, line in enumerate(text.splitlines(), 1):
            if line != line.rstrip() or "\t" in line:
                yield Finding(path, number, "whitespace", "a tab, or blanks at the end")


def check_headers(tree):
    for path, lines in tree.matching(".h"):
        if not lines or lines[0] != "#pragma once":
            yield Finding(path, 1, "header", "begins with #pragma once")


def check_usings(tree):
    """clang-tidy has this too, but only for a source that it reads alone."""
    for path, text in tree.files.items():
        if not path.endswith(".cc"):
            continue
        for using in re.finditer(r"^ *using (?:::)?(?:\w+::)+(\w+);", text, re.MULTILINE):
            name = using.group(1)
            rest = re.sub(r"(?m)^#include.*|//.*", "", text[: using.start()] + text[using.end() :])
            if not re.search(rf"(?<!::)\b{name}\b", rest):
                line = text.count("\n", 0, using.start()) + 1
                yield Finding(path, line, "using", f"{name}: not used without its namespace")


def check_protos(tree):
    """At the edges a number says its unit, last; every rpc and every request field is told about."""
    for path, lines in tree.matching(".proto"):
        for number, line in enumerate(lines, 1):
            field = re.match(r"\s*(?:optional |repeated )?s?int64 (\w+) = \d+;", line)
            if field and not field.group(1).endswith(("_fen", "_ms")):
                yield Finding(path, number, "proto", f"{field.group(1)}: an int64 ends in its unit, _fen or _ms")
            if re.match(r"\s*rpc ", line) and not lines[number - 2].lstrip().startswith("//"):
                yield Finding(path, number, "proto", "an rpc without a comment")
