#!/usr/bin/env python3
"""clang-tidy, with the checks of .clang-tidy, over the layers without gRPC headers.

Which files: those of LAYERS that compile_commands.json of the build has. Only findings in our own headers and sources
count. Exit 0: nothing found; 1: findings; 2: bad usage.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time

LAYERS = ("switch/core/", "storage/", "adapters/", "switch/flow/")
# Sources that clang-tidy can't be run on, each with the reason.
LEFT_OUT = {}
WITH_GRPC = ("adapters/remote/", "adapters/sim/remote/")


def sources(root, build):
    """Absolute paths, the largest first, so that the last one to end is a short one."""
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    found = set()
    for command in commands:
        path = pathlib.Path(command["directory"], command["file"]).resolve()
        if path.is_relative_to(root):
            relative = path.relative_to(root).as_posix()
            if relative.startswith(LAYERS) and not relative.startswith(WITH_GRPC) and relative not in LEFT_OUT:
                found.add(path)
    return sorted(found, key=lambda path: -path.stat().st_size)


def tidy(root, build, path):
    """(path, seconds, what clang-tidy says); the text is empty when it finds nothing."""
    started = time.monotonic()
    result = subprocess.run(
        [
            "clang-tidy",
            "--quiet",
            f"-p={build}",
            f"--config-file={root / '.clang-tidy'}",
            f"--header-filter=^{root}/({'|'.join(LAYERS)})",
            # The compiler's own warnings are the build's business, and these flags are GCC's.
            "--extra-arg=-w",
            str(path),
        ],
        text=True,
        capture_output=True,
        check=False,
    )
    text = "" if result.returncode == 0 else result.stdout + result.stderr
    return path, time.monotonic() - started, text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=pathlib.Path, help="the top folder of the sources")
    parser.add_argument("build", type=pathlib.Path, help="the build folder, with compile_commands.json")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    root, build = options.root.resolve(), options.build.resolve()
    paths = sources(root, build)
    if not paths:
        print(f"{build}/compile_commands.json: names no source of {', '.join(LAYERS)}", file=sys.stderr)
        return 2
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for path, seconds, text in pool.map(lambda path: tidy(root, build, path), paths):
            print(f"{seconds:5.1f} s  {path.relative_to(root)}", flush=True)
            if text:
                bad += 1
                print(text, flush=True)
    print(f"{len(paths)} files, {bad} with findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
