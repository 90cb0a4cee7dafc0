#!/usr/bin/env python3
"""Scans the sources for what DESIGN and STYLE forbid. Exit 0: nothing found; 1: findings, one a line; 2: bad usage."""

import argparse
import sys

import house
import layers
import text
from source_tree import SourceTree

RULES = (
    layers.check_includes,
    layers.check_links,
    house.check_root,
    house.check_readmes,
    house.check_every_source_is_built,
    text.check_forbidden,
    text.check_file_names,
    text.check_size,
    text.check_whitespace,
    text.check_headers,
    text.check_usings,
    text.check_protos,
)


def lint(root):
    """All findings in the tree at `root`, in order of path and line."""
    tree = SourceTree(root)
    return sorted(finding for rule in RULES for finding in rule(tree))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", help="the top folder of the sources")
    findings = lint(parser.parse_args().root)
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
