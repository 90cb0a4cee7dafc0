#!/usr/bin/env python3
"""clang-format has nothing to change in any C++ file. Exit 0: so it is; 1: the files it would change are named."""

import argparse
import subprocess
import sys

from source_tree import SourceTree


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", help="the top folder of the sources")
    root = parser.parse_args().root
    paths = [path for path, _ in SourceTree(root).matching(".h", ".cc")]
    if not paths:
        sys.exit(f"{root}: no C++ files; expected the sources")
    status = subprocess.run(
        ["clang-format", "--dry-run", "--Werror", "--ferror-limit=1", "--style=file", *paths], cwd=root, check=False
    ).returncode
    print(f"{len(paths)} files; " + ("all formatted" if status == 0 else "run clang-format -i on those named above"))
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main())
