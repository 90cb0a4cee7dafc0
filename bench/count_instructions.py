#!/usr/bin/env python3
"""Counts the instructions of payment_instructions, a fixed run of payments through flow, ledger and storage in one
thread, under callgrind. Times differ from run to run and from machine to machine; this figure repeats.

    python3 count_instructions.py PROGRAM FIGURE_FILE           compares with what is kept: 5 % more is an error
    python3 count_instructions.py PROGRAM FIGURE_FILE --renew   writes it down: on purpose, the commit says why

Exit status: 0 as expected, 1 more instructions than are allowed, 2 it could not be counted.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

MOST = 1.05
COUNTED = "*PayAll*"


class CannotCount(Exception):
    pass


def without_randomized_addresses() -> list[str]:
    """What goes before a command: the order of a hash table follows from addresses. Containers may refuse it; the count
    then differs a little from run to run, far within what is allowed."""
    setarch = ["setarch", "-R"]
    try:
        refused = subprocess.run(setarch + ["true"], capture_output=True, check=False).returncode != 0
    except FileNotFoundError:
        refused = True
    return [] if refused else setarch


def count(program: pathlib.Path) -> int:
    """The instructions of its PayAll, with all that it calls in that thread."""
    if shutil.which("valgrind") is None:
        raise CannotCount("valgrind: not found; deploy/install-deps.sh installs it")
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            without_randomized_addresses()
            + ["valgrind", "--tool=callgrind", f"--toggle-collect={COUNTED}",
               f"--callgrind-out-file={folder}/callgrind.out", str(program)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)  # fmt: skip
    found = re.search(r"Collected : (\d+)", run.stdout)
    if run.returncode != 0 or found is None or int(found[1]) == 0:
        raise CannotCount(f"{program} under callgrind: exit status {run.returncode}, expected 0 and a count of "
                          f"{COUNTED}; it printed:\n{run.stdout}")
    return int(found[1])


def kept(figure_file: pathlib.Path) -> int:
    try:
        return int(figure_file.read_text().strip())
    except (OSError, ValueError) as error:
        raise CannotCount(f"{figure_file}: {error}; expected one number; write it with --renew") from error


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("figure_file", type=pathlib.Path)
    parser.add_argument("--renew", action="store_true", help="write the figure down instead of comparing with it")
    options = parser.parse_args()
    try:
        counted = count(options.program)
        if options.renew:
            options.figure_file.write_text(f"{counted}\n")
            print(f"{counted:,} instructions: written to {options.figure_file}")
            return 0
        before = kept(options.figure_file)
    except CannotCount as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{counted:,} instructions; {before:,} are written down: {counted / before:.3f} of them")
    if counted <= before * MOST:
        return 0
    print(f"more than {MOST:.2f} of what is written down in {options.figure_file}: find what costs them\n"
          f"(callgrind_annotate), or, where it is worth it, renew the figure on purpose:\n"
          f"  python3 {sys.argv[0]} {options.program} {options.figure_file} --renew", file=sys.stderr)  # fmt: skip
    return 1


if __name__ == "__main__":
    sys.exit(main())
