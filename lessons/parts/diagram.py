"""The architecture of a stack as a picture and as a sentence, both read from its SAM template. No Streamlit."""

from collections.abc import Mapping
from html import escape
from pathlib import Path

import graphviz

from lessons.parts.sentences import sentences
from lessons.parts.template import Architecture, Edge, Link, Node, Shape, read_architecture

# Cards of their own colour with dark text: they look the same on a light and on a dark page.
INK = "#1c2530"
LINE = "#7b8794"
CARD = "#eef1f4"
LOOKS: Mapping[Shape, tuple[str, str, str]] = {
    Shape.FUNCTION: ("box", "#fde9d6", "#c2611a"),
    Shape.BUCKET: ("cylinder", "#dff1e0", "#3f8f4a"),
    Shape.TABLE: ("box3d", "#e0e7fb", "#5468c8"),
    Shape.QUEUE: ("cds", "#fbe1ea", "#c04a78"),
    Shape.TOPIC: ("hexagon", "#fbe1ea", "#c04a78"),
    Shape.API: ("parallelogram", "#ece0f8", "#8a55bd"),
    Shape.SCHEDULE: ("octagon", "#fbe1ea", "#c04a78"),
    Shape.RULE: ("octagon", "#fbe1ea", "#c04a78"),
    Shape.STATES: ("component", "#fbe1ea", "#c04a78"),
    Shape.STREAM: ("cds", "#ece0f8", "#8a55bd"),
}


def architecture(template: Path, language: str) -> str:
    """Draw a SAM template as DOT source, for st.graphviz_chart."""
    text = sentences(language)
    stack = read_architecture(template)
    graph = graphviz.Digraph(
        graph_attr={"rankdir": "LR", "bgcolor": "transparent", "nodesep": "0.4", "ranksep": "0.7", "pad": "0.15"},
        node_attr={"style": "filled", "fontname": "Helvetica", "fontcolor": INK, "penwidth": "1.6", "margin": "0.22,0.12"},
        edge_attr={"fontname": "Helvetica", "color": LINE, "penwidth": "1.5", "arrowsize": "0.8"},
    )
    for node in stack.nodes:
        shape, fill, line = LOOKS[node.shape]
        style = "rounded,filled" if node.shape is Shape.FUNCTION else "filled"
        graph.node(node.id, _card(node, text), shape=shape, style=style, fillcolor=fill, color=line)
    called = {(edge.source, edge.target) for edge in stack.edges if edge.link is Link.CALLS}
    for edge in stack.edges:
        # What a function does with the one that calls it must not turn the picture round.
        turned = "false" if (edge.target, edge.source) in called else "true"
        style = "solid" if edge.link is Link.CALLS else "dashed"
        graph.edge(edge.source, edge.target, _tag(_label(edge, text)), style=style, constraint=turned)
    return str(graph.source)


def alt_text(template: Path, language: str) -> str:
    """Describe the same picture in a sentence or two."""
    text = sentences(language)
    stack = read_architecture(template)
    nodes = {node.id: node for node in stack.nodes}
    said = [
        _say(text["diagram.calls"], source=_name(nodes[edge.source], text), label=_label(edge, text), target=edge.target)
        for edge in stack.edges
        if edge.link is Link.CALLS and nodes[edge.target].shape is Shape.FUNCTION
    ]
    for node in stack.nodes:
        reads = _named(stack, node, (Link.READ, Link.BOTH), text)
        writes = _named(stack, node, (Link.WRITE, Link.BOTH), text)
        if reads and writes:
            said.append(_say(text["diagram.readswrites"], function=node.id, reads=reads, writes=writes))
        elif reads or writes:
            said.append(_say(text["diagram.reads" if reads else "diagram.writes"], function=node.id, things=reads or writes))
    return " ".join(said) or text["diagram.empty"]


def _named(stack: Architecture, function: Node, links: tuple[Link, ...], text: Mapping[str, str]) -> str:
    targets = [edge.target for edge in stack.edges if edge.source == function.id and edge.link in links]
    return text["diagram.and"].join(_name(node, text) for node in stack.nodes if node.id in targets)


def _name(node: Node, text: Mapping[str, str]) -> str:
    caption = text[f"diagram.{node.shape}"]
    return f"{node.label} {caption}" if text["language.code"] == "ko" else f"the {caption} {node.label}".strip()


def _label(edge: Edge, text: Mapping[str, str]) -> str:
    if edge.link is Link.CALLS:
        return text[f"diagram.{edge.label[1:]}"] if edge.label.startswith("@") else edge.label
    if edge.link is Link.FAILED and edge.label:
        return _say(text["diagram.dead"], count=edge.label)
    return text[f"diagram.{edge.link}"]


def _say(template: str, **values: str) -> str:
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template.replace(" ()", "").replace("  ", " ").strip()


def _card(node: Node, text: Mapping[str, str]) -> str:
    # A plain label: browsers centre it whatever their fonts, while rich text is placed by Graphviz's guess of its width.
    caption = text[f"diagram.{node.shape}"]
    return str(graphviz.escape(f"{node.label}\n{caption}" if node.label else caption))


def _tag(label: str) -> str:
    """Give a label its own paper, so that it can be read on any background."""
    if not label:
        return ""
    cell = f'<TR><TD><FONT POINT-SIZE="11" COLOR="{INK}">{escape(label)}</FONT></TD></TR>'
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="3" BGCOLOR="{CARD}" STYLE="ROUNDED">{cell}</TABLE>>'
