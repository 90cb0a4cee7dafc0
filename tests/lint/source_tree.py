"""The files of the repository, as the lint rules see them."""

import dataclasses
import os
import pathlib

# Not part of the repository: build output, ledgers of demo runs, git's own.
OUTSIDE = {".git", "build", "data", "__pycache__", ".cache"}
TEXT_NAMES = {"CMakeLists.txt", ".clang-format", ".clang-tidy", ".gitignore", ".gitattributes", "run"}
TEXT_SUFFIXES = {
    ".h", ".cc", ".proto", ".cmake", ".py", ".sh", ".md", ".json", ".yaml", ".cfg", ".service", ".txt", ".supp",
}  # fmt: skip


@dataclasses.dataclass(frozen=True, order=True)
class Finding:
    """One violation. `path` is relative to the root; `line` counts from 1, 0 is the file as a whole."""

    path: str
    line: int
    rule: str
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: [{self.rule}] {self.text}"


class SourceTree:
    """Reads the text files under `root` once. Paths are relative, with forward slashes."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.files = {}
        for folder, subfolders, names in os.walk(self.root):
            subfolders[:] = sorted(name for name in subfolders if name not in OUTSIDE)
            for name in sorted(names):
                path = pathlib.Path(folder, name)
                if name in TEXT_NAMES or path.suffix in TEXT_SUFFIXES:
                    self.files[path.relative_to(self.root).as_posix()] = path.read_text(encoding="utf-8")

    def matching(self, *suffixes, under=""):
        """(path, lines) of the files with one of `suffixes` whose path starts with `under`."""
        for path, text in self.files.items():
            if path.startswith(under) and path.endswith(suffixes):
                yield path, text.splitlines()
