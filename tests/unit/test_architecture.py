"""ARCHITECTURE.md names every package and module, and nothing that is not there.

Its tree is the one block fenced as `text`: a name a line, indented below its folder, folders with
a closing slash, then two or more spaces and a description.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```text\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINE = re.compile(r"(?P<indent> *)(?P<name>\S+) {2,}(?P<description>\S.*)")


def parse_tree(block):
    """Return the paths that a tree names, those of folders with a closing slash."""
    folders = []
    paths = []
    for line in block.splitlines():
        match = LINE.fullmatch(line)
        assert match, f"ARCHITECTURE.md: expected 'name  description', got {line!r}"
        indent, name = len(match["indent"]), match["name"]
        while folders and folders[-1][0] >= indent:
            folders.pop()
        assert folders or indent == 0, f"ARCHITECTURE.md: {name} is indented below no folder"
        path = f"{folders[-1][1] if folders else ''}{name}"
        paths.append(path)
        if name.endswith("/"):
            folders.append((indent, path))
    return paths


def modules_on_disk():
    """Return every package folder and module of the project; a package stands for its init."""
    modules = {
        path.relative_to(ROOT)
        for top in ("aslbatch", "jobs")
        for path in (ROOT / top).rglob("*.py")
    }
    packages = {f"{path.parent.as_posix()}/" for path in modules}
    return packages | {path.as_posix() for path in modules if path.name != "__init__.py"}


@pytest.fixture(scope="module")
def named():
    blocks = BLOCK.findall((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))
    assert len(blocks) == 1, "ARCHITECTURE.md: expected one block fenced as text"
    return parse_tree(blocks[0])


def test_every_package_and_module_is_named(named):
    assert sorted(modules_on_disk() - set(named)) == []


def test_every_named_path_exists(named):
    on_disk = {path: ROOT / path for path in named}
    missing = [
        name
        for name, path in on_disk.items()
        if not (path.is_dir() if name.endswith("/") else path.is_file())
    ]
    assert missing == []


def test_no_path_is_named_twice(named):
    assert len(named) == len(set(named))


def test_tree_is_parsed_by_indentation():
    block = "a/      one\n  b/    two\n    c.py  three\n  d.py  four\ne/  five\n"
    assert parse_tree(block) == ["a/", "a/b/", "a/b/c.py", "a/d.py", "e/"]


@pytest.mark.parametrize("block", ["a/ only one space\n", "no-description\n", "  a.py  orphan\n"])
def test_malformed_tree_is_refused(block):
    with pytest.raises(AssertionError, match=r"ARCHITECTURE\.md: "):
        parse_tree(block)
