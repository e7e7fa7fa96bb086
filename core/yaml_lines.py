"""YAML with the line of every value, so that an error can point at it."""

from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode
from ruamel.yaml.reader import ReaderError

Path = tuple[str | int, ...]
MOST_VALUES = 100_000
"""Values of one file. A page of aliases of aliases may stand for more than any memory holds."""
_OF_JSON = ("str", "int", "float", "bool", "null")
"""Tags of values that JSON has, too."""


@dataclass(slots=True)
class Document:
    """A parsed file: plain values, the line (from 1) of each by its path, and what is wrong with the YAML itself."""

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """Return the line of the value at ``path``, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def at(self, path: Path) -> Any:
        """Return the value at ``path``; None where there is none."""
        value = self.value
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value


def parse(text: str) -> Document:
    """Return the document in ``text``; problems of the YAML itself are listed in it, none is raised."""
    document = Document()
    loader = YAML(typ="safe", pure=True)
    try:
        node = loader.compose(text)
        if node is not None:
            document.value = _plain(node, (), document, loader)
    except ReaderError as err:
        line = text.count("\n", 0, err.position) + 1
        document.problems.append(
            (line, "holds a character that YAML does not allow; save the file as plain UTF-8 text")
        )
    except MarkedYAMLError as err:
        mark = err.problem_mark or err.context_mark
        document.problems.append((mark.line + 1 if mark else 1, f"is not valid YAML: {err.problem or err.context}"))
    except (ValueError, RecursionError) as err:
        document.problems.append((1, f"cannot be read as YAML: {err}"))
    return document


def _plain(node: Node, path: Path, document: Document, loader: YAML) -> Any:
    document.lines.setdefault(path, node.start_mark.line + 1)
    if len(document.lines) > MOST_VALUES:
        raise ValueError(
            f"it comes to more than {MOST_VALUES:,} values, aliases (*name) written out; accepted: fewer, or several"
            " files"
        )
    if isinstance(node, MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            line = key_node.start_mark.line + 1
            if key in mapping:
                document.problems.append((line, f"{key}: stands twice in the same place; keep one"))
            document.lines[(*path, key)] = line
            mapping[key] = _plain(value_node, (*path, key), document, loader)
        return mapping
    if isinstance(node, SequenceNode):
        return [_plain(item, (*path, index), document, loader) for index, item in enumerate(node.value)]
    if str(node.tag).rpartition(":")[2] not in _OF_JSON:
        return node.value  # a date stays as it is written: JSON has none
    return loader.constructor.construct_object(node)
