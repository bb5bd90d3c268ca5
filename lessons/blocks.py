"""What a lesson's text is made of: prose, and directives such as {diagram} on a line of their own."""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from labs.content import ContentError, Section, fences, read_text

_DIRECTIVE = re.compile(r"\{([a-z_]+)(?::([^}]*))?\}")
_HIGHLIGHT = {".py": "python", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".json": "json"}


@dataclass(frozen=True, slots=True)
class Prose:
    """Markdown."""

    markdown: str


@dataclass(frozen=True, slots=True)
class Diagram:
    """The architecture, drawn from the lab's template."""

    lab: str


@dataclass(frozen=True, slots=True)
class Code:
    """Real code: a file of this project, or one region of it."""

    path: str
    region: str
    text: str

    @property
    def language(self) -> str:
        """Return the name of the file's language for highlighting."""
        return _HIGHLIGHT.get(Path(self.path).suffix, "text")


@dataclass(frozen=True, slots=True)
class Predict:
    """The prediction's questions."""


@dataclass(frozen=True, slots=True)
class LabHere:
    """The lab that the lesson goes with."""

    lab: str


@dataclass(frozen=True, slots=True)
class Explain:
    """Prediction and observation side by side."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The list of sources."""


@dataclass(frozen=True, slots=True)
class Quiz:
    """The quiz."""


Block: TypeAlias = Prose | Diagram | Code | Predict | LabHere | Explain | Sources | Quiz


@dataclass(frozen=True, slots=True)
class Part:
    """A heading and the blocks below it. Level 0 is what stands before the first heading."""

    level: int
    anchor: str
    title: str
    blocks: tuple[Block, ...]


def read_blocks(file: Path, section: Section, project: Path, lab: str | None) -> tuple[Block, ...]:
    """Split a section's Markdown at its directives; code in fences is left alone."""
    blocks: list[Block] = []
    prose: list[str] = []

    def end() -> None:
        if text := "\n".join(prose).strip("\n"):
            blocks.append(Prose(text))
        prose.clear()

    for line, fenced in fences(file, section.body):
        directive = None if fenced else _DIRECTIVE.fullmatch(line.rstrip())
        if directive is None:
            prose.append(line)
            continue
        end()
        where = f"{{#{section.anchor}}}"
        blocks.append(read_directive(file, where, directive[1], directive[2], project, lab))
    end()
    return tuple(blocks)


def read_directive(file: Path, where: str, name: str, target: str | None, project: Path, lab: str | None) -> Block:
    """Read one directive."""
    if name == "code":
        return read_code(file, where, target or "", project)
    if target is not None:
        raise ContentError(file, where, f"{{{name}}} takes nothing after a colon; write {{{name}}}")
    if name in ("lab", "diagram"):
        if lab is None:
            raise ContentError(file, where, f"{{{name}}} needs a lab; add lab = ... to lesson.toml")
        return LabHere(lab) if name == "lab" else Diagram(lab)
    simple: dict[str, Block] = {"predict": Predict(), "explain": Explain(), "sources": Sources(), "quiz": Quiz()}
    if name not in simple:
        raise ContentError(file, where, f"{{{name}}} is unknown; use {', '.join(['code', 'diagram', 'lab', *simple])}")
    return simple[name]


def read_code(file: Path, where: str, target: str, project: Path) -> Code:
    """Read code out of the project's own files: path, or path#region between "# region x" and "# endregion"."""
    path, _, region = target.partition("#")
    source = project / path
    if not path or not source.is_file() or not source.resolve().is_relative_to(project.resolve()):
        raise ContentError(file, where, f"{{code:{target}}}: there is no such file in the project; write its path")
    text = read_text(source)
    if region:
        found = re.search(rf"^ *# region {re.escape(region)}\n(.*?)^ *# endregion$", text, re.MULTILINE | re.DOTALL)
        if found is None:
            advice = f"{path} has no region {region}; put # region {region} and # endregion around it"
            raise ContentError(file, where, advice)
        text = found[1]
    return Code(path, region, textwrap.dedent(text).strip("\n"))
