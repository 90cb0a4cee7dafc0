"""Adds a biller in a scratch copy of the sources, step by step as adapters/README.md says, and counts what is touched.

The new adapter is then built there and passes its contract. Exit 0: only what the README names was touched, and the
adapter works; otherwise an assertion says what is wrong.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

NOT_SOURCES = shutil.ignore_patterns("build", "data", ".git", "__pycache__", ".cache")
# All that may change but the adapter's own folder.
LISTS = {"adapters/CMakeLists.txt", "adapters/registry.cc", "deploy/switchd.yaml"}
STANZA = """
  - id: acme
    name: Mobile top-up (Acme)
    adapter: acme
    settings:
      profile: mobile
"""


def substitute(path, pattern, replacement):
    """Exactly one place of the file is meant."""
    text, count = re.subn(pattern, lambda _: replacement, path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert count == 1, f"{path}: {pattern} is there {count} times; expected once"
    path.write_text(text, encoding="utf-8")


def copy_sandbox(root):
    """Steps 1 and 4: a copy of sandbox/ with its scenarios, and its sources' line."""
    acme = root / "adapters/acme"
    shutil.copytree(root / "adapters/sandbox", acme)
    for path in sorted(acme.iterdir()):
        text = path.read_text(encoding="utf-8").replace("sandbox", "acme").replace("Sandbox", "Acme")
        path.write_text(text, encoding="utf-8")
        path.rename(acme / path.name.replace("sandbox", "acme"))
    substitute(
        root / "adapters/CMakeLists.txt",
        r"^add_library\(ws_adapters STATIC$",
        "add_library(ws_adapters STATIC\n  acme/answers.cc acme/acme_biller.cc acme/script.cc",
    )


def register(root):
    """Step 2: the line in the table, and the header that it needs."""
    registry = root / "adapters/registry.cc"
    own = '#include "adapters/registry.h"\n'
    substitute(registry, f"^{own}$", own + '\n#include "adapters/acme/acme_biller.h"')
    substitute(
        registry,
        r"^constexpr Registered kRegistry\[\] = \{$",
        'constexpr Registered kRegistry[] = {\n    {"acme", acme::AcmeBiller::Create},',
    )


def configure(root):
    """Step 3: a stanza."""
    with open(root / "deploy/switchd.yaml", "a", encoding="utf-8") as file:
        file.write(STANZA)


def touched(before, after):
    """Paths that are in one only, or differ."""

    def files(root):
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    old, new = files(before), files(after)
    return {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}


def run(*command, environment=None, folder=None):
    result = subprocess.run(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, cwd=folder
    )
    assert result.returncode == 0, f"{' '.join(map(str, command))}: exit status {result.returncode}\n{result.stdout}"
    return result.stdout


def check_configuration(switchd, root):
    """The switch of that build reads the changed configuration, and finds a fault in the new stanza."""
    configuration = root / "deploy/switchd.yaml"
    run(switchd, "--config", configuration, "--check", folder=root)
    wrong = root / "build/wrong.yaml"
    wrong.write_text(configuration.read_text(encoding="utf-8").replace(STANZA, STANZA.replace("profile", "profil")))
    result = subprocess.run((switchd, "--config", wrong, "--check"), cwd=root, text=True, capture_output=True)
    assert result.returncode != 0, "a setting that acme does not know is taken"
    assert "profil" in result.stderr, result.stderr


def build_and_test(root):
    # What was compiled from these sources anywhere else is taken from the cache.
    environment = dict(
        os.environ,
        CCACHE_BASEDIR=str(root),
        CCACHE_NOHASHDIR="true",
    )
    build = root / "build/scratch"
    release = ("-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -g1 -DNDEBUG")
    run("cmake", "-S", root, "-B", build, "-G", "Ninja", *release, environment=environment)
    run("cmake", "--build", build, "-j", str(os.cpu_count()), "--target", "adapter_contract_test", "switchd",
        environment=environment)  # fmt: skip
    check_configuration(build / "bin/switchd", root)
    output = run(build / "bin/adapter_contract_test", "--gtest_filter=*/acme_*:*CoverWhatIsRegistered*")
    # Each check of the suite, and that nobody is missing.
    names = run(build / "bin/adapter_contract_test", "--gtest_filter=*/acme_*", "--gtest_list_tests")
    listed = names.count("Holds/acme_")
    assert listed > 0 and f"[  PASSED  ] {listed + 1} tests." in output, output


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path, help="the top folder of the sources")
    source = parser.parse_args().source.resolve()
    with tempfile.TemporaryDirectory(prefix="waystation-add-biller-") as folder:
        before, after = pathlib.Path(folder, "before"), pathlib.Path(folder, "after")
        for copy in (before, after):
            shutil.copytree(source, copy, ignore=NOT_SOURCES)
        copy_sandbox(after)
        register(after)
        configure(after)
        changed = touched(before, after)
        outside = {path for path in changed if not path.startswith("adapters/acme/")}
        print(f"touched outside adapters/acme/: {', '.join(sorted(outside))}")
        assert outside == LISTS, f"expected {', '.join(sorted(LISTS))}"
        run(sys.executable, "-B", after / "tests/lint/lint.py", after)
        build_and_test(after)


if __name__ == "__main__":
    main()
