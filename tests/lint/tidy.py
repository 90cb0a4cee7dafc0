#!/usr/bin/env python3
"""clang-tidy, with the checks of .clang-tidy, over the layers without gRPC headers.

Which files: those of LAYERS that compile_commands.json of the build has. Only findings in our own headers and sources
count. Most of the time goes into the headers of others, so several sources of a folder are read as one translation
unit; where names of theirs get in each other's way, one by one. Exit 0: nothing found; 1: findings; 2: bad usage.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time

LAYERS = ("switch/core/", "storage/", "adapters/", "switch/flow/")
# Sources that clang-tidy can't be run on, each with the reason.
LEFT_OUT = {}
WITH_GRPC = ("adapters/remote/", "adapters/sim/remote/")
# Sources of a translation unit.
MOST_TOGETHER = 8


def flags(command):
    """-std, -D, -I and -isystem of a compiler's command line: nothing else of it changes what a source says."""
    words = command.get("arguments") or shlex.split(command["command"])
    kept = []
    for at, word in enumerate(words):
        if word.startswith(("-std", "-D", "-I")):
            kept.append(word)
        elif word == "-isystem":
            kept += words[at : at + 2]
    return kept


def sources(root, build):
    """{absolute path: its flags}."""
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    found = {}
    for command in commands:
        path = pathlib.Path(command["directory"], command["file"]).resolve()
        if path.is_relative_to(root):
            relative = path.relative_to(root).as_posix()
            if relative.startswith(LAYERS) and not relative.startswith(WITH_GRPC) and relative not in LEFT_OUT:
                found[path] = flags(command)
    return found


def units(found):
    """Lists of paths, each of one folder and with the same flags; the longest first, so that a short one ends last."""
    alike = {}
    for path in sorted(found):
        alike.setdefault((path.parent, tuple(found[path])), []).append(path)
    result = []
    for paths in alike.values():
        count = -(-len(paths) // MOST_TOGETHER)
        result += [paths[first::count] for first in range(count)]
    return sorted(result, key=lambda paths: -sum(path.stat().st_size for path in paths))


def run(root, scratch, paths, compiler_flags):
    """What clang-tidy says of `paths` as one translation unit; "" when it finds nothing."""
    unit = paths[0]
    if len(paths) > 1:
        with tempfile.NamedTemporaryFile("w", suffix=".cc", dir=scratch, delete=False, encoding="utf-8") as file:
            file.writelines(f'#include "{path}"\n' for path in paths)
        unit = pathlib.Path(file.name)
    result = subprocess.run(
        [
            "clang-tidy",
            "--quiet",
            f"--config-file={root / '.clang-tidy'}",
            f"--header-filter=^{re.escape(str(root))}/({'|'.join(LAYERS)})",
            str(unit),
            "--",
            *compiler_flags,
            # The compiler's own warnings are the build's business.
            "-w",
        ],
        cwd=root,
        text=True,
        capture_output=True,
        check=False,
    )
    said = result.stdout + result.stderr or f"clang-tidy ended with status {result.returncode}\n"
    return "" if result.returncode == 0 else said


def tidy(root, scratch, paths, compiler_flags):
    """(paths, seconds, what clang-tidy says)."""
    started = time.monotonic()
    text = run(root, scratch, paths, compiler_flags)
    # Which findings are true only shows where the sources are apart.
    if text and len(paths) > 1:
        text = "".join(run(root, scratch, [path], compiler_flags) for path in paths)
    return paths, time.monotonic() - started, text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=pathlib.Path, help="the top folder of the sources")
    parser.add_argument("build", type=pathlib.Path, help="the build folder, with compile_commands.json")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    root, build = options.root.resolve(), options.build.resolve()
    found = sources(root, build)
    if not found:
        print(f"{build}/compile_commands.json: names no source of {', '.join(LAYERS)}", file=sys.stderr)
        return 2
    bad = 0
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for paths, seconds, text in pool.map(lambda paths: tidy(root, scratch, paths, found[paths[0]]), units(found)):
            print(f"{seconds:5.1f} s  {' '.join(path.relative_to(root).as_posix() for path in paths)}", flush=True)
            if text:
                bad += 1
                print(text, flush=True)
    print(f"{len(found)} files; findings in {bad} translation units" if bad else f"{len(found)} files, no finding")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
