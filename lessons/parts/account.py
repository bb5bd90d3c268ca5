"""What is in the learner's cloud: the pace of its time, its objects, items and logs, and pictures out of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape

import streamlit as st

from labs.cloud import Pace
from labs.workbench import Trouble, Workbench
from lessons.parts.sentences import file_size, sentences
from lessons.visit import Visit

PACES: Mapping[str, tuple[Pace, float]] = {
    "instant": (Pace.INSTANT, 1.0),
    "live": (Pace.LIVE, 1.0),
    "live_10": (Pace.LIVE, 10.0),
    "live_60": (Pace.LIVE, 60.0),
    "paused": (Pace.PAUSED, 1.0),
}
_MOST_LINES = 200
_LONGEST_LINE = 2000
_MOST_ROWS = 50


def pace(key: str, bench: Workbench, visit: Visit, draw: Callable[[], None]) -> Trouble | None:
    """Let the learner say how the cloud's time passes; one step at a time while it stands still."""
    workspace = bench.workspace
    exact = [name for name, (pace, factor) in PACES.items() if (pace, factor) == (workspace.pace, workspace.factor)]
    st.session_state[key] = (exact or [name for name, (pace, _) in PACES.items() if pace is workspace.pace])[0]

    def change() -> None:
        draw()
        st.session_state[f"{key}_trouble"] = bench.set_pace(*PACES[st.session_state[key]])

    def step() -> None:
        draw()
        st.session_state[f"{key}_trouble"] = bench.step()

    st.segmented_control(
        visit.t("pace.label"),
        list(PACES),
        format_func=lambda name: visit.t(f"pace.{name}"),
        key=key,
        required=True,
        label_visibility="collapsed",
        on_change=change,
    )
    st.button(
        visit.t("pace.step"),
        key=f"{key}_step",
        icon=":material/skip_next:",
        on_click=step,
        disabled=workspace.pace is not Pace.PAUSED or not workspace.alive,
    )
    trouble: Trouble | None = st.session_state.pop(f"{key}_trouble", None)
    return trouble


def objects(bench: Workbench, visit: Visit, buckets: Iterable[str]) -> None:
    """List what lies in buckets."""
    names = list(buckets)
    for bucket, column in zip(names, st.columns(max(1, len(names)), gap="medium"), strict=False):
        with column:
            _objects(bench, visit, bucket)


def _objects(bench: Workbench, visit: Visit, bucket: str) -> None:
    found = bench.objects(bucket)
    st.markdown(f":material/folder: **{bucket}**")
    if not found:
        st.caption(visit.t("run.empty_bucket"))
    else:
        text = sentences(visit.language)
        rows = [
            [f"<code>{escape(str(each['key']))}</code>", escape(file_size(float(str(each["size"])), text))]
            for each in found[:_MOST_ROWS]
        ]
        table([visit.t("cloud.key"), visit.t("cloud.size")], rows)


def items(bench: Workbench, visit: Visit, tables: Iterable[str]) -> None:
    """List the items of tables."""
    for name in tables:
        found = list(bench.workspace.items(name))
        st.markdown(f":material/table: **{name}**")
        if not found:
            st.caption(visit.t("run.empty_table"))
            continue
        columns = list(dict.fromkeys(column for item in found for column in item))
        rows = [[f"<code>{escape(_shown(item.get(column)))}</code>" for column in columns] for item in found[:_MOST_ROWS]]
        table(columns, rows)


def logs(bench: Workbench, visit: Visit) -> None:
    """Show what CloudWatch Logs has, the newest at the end."""
    lines = bench.workspace.logs()[-_MOST_LINES:]
    if not lines:
        st.caption(visit.t("cloud.no_logs"))
        return
    shown = "".join(
        f"<div><time>{line['at'].astimezone(visit.zone):%H:%M:%S}</time><span>{escape(_shortened(line['message']))}</span></div>"
        for line in lines
    )
    with st.container(height=320, autoscroll=True, border=True):
        st.html(f'<div class="lab-logs">{shown}</div>')


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Show a small table; cells are HTML, headers are text."""
    head = "".join(f"<th>{escape(header)}</th>" for header in headers)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    st.html(f'<div class="lab-table"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>')


def _shown(value: object) -> str:
    return "" if value is None else _shortened(str(value))


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_LINE else text[: _LONGEST_LINE - 1] + "…"
