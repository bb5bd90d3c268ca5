"""What grading found: points, one line for each check, the reason, the evidence, and hints one after the other."""

from collections.abc import Sequence

import streamlit as st

from labs import checking
from labs.grading import CheckResult, Result, Status, feedback
from labs.model import Check
from labs.workbench import Workbench
from lessons.visit import Visit

_RUNGS = ("hint.where", "hint.why", "hint.nearly")


def results(key: str, bench: Workbench, visit: Visit) -> None:
    """Show the grading that is under way, or else the newest result."""
    job = checking.of(bench.learner, bench.lab)
    if job is not None and job.running:
        # A whole class may wait for its turn: who waits looks less often.
        st.fragment(_progress, run_every=0.5 if job.begun else 1.5)(key, job, bench, visit)
        return
    if job is not None and job.broken is not None:
        st.error(visit.t("ungraded.ours", code=job.broken), icon=":material/error:")
        return
    if job is not None and job.fault is not None:
        st.error(visit.t(job.fault.key, path=job.fault.path), icon=":material/save:")
    result = checking.last(bench.journal, bench.learner, bench.lab)
    if result is None:
        st.info(visit.t("hint.check_first"), icon=":material/checklist:")
    else:
        _result(key, bench, visit, result)


def evidence(key: str, bench: Workbench) -> tuple[CheckResult, int] | None:
    """Return the check whose evidence the learner wants to see, and how often such a wish was made."""
    wanted = st.session_state.get(f"{key}_evidence")
    result = checking.last(bench.journal, bench.learner, bench.lab) if wanted else None
    if result is None:
        return None
    found = next((check for check in result.checks if check.id == wanted and check.evidence), None)
    return None if found is None else (found, st.session_state.get(f"{key}_turn", 0))


def forget_evidence(key: str) -> None:
    """Close the evidence."""
    st.session_state.pop(f"{key}_evidence", None)


def _progress(key: str, job: checking.Checking, bench: Workbench, visit: Visit) -> None:
    if not job.running:
        forget_evidence(key)
        st.rerun()
    found = list(job.found)
    total = len(bench.lab.checks)
    text = visit.t("grade.checking_at", done=min(len(found) + 1, total), total=total)
    st.progress(len(found) / total, text=text if job.begun else visit.t("grade.waiting"))
    _lines(bench.lab.checks, found, visit)
    st.caption(visit.t("grade.checking"))


def _lines(checks: Sequence[Check], found: Sequence[CheckResult], visit: Visit) -> None:
    passed = {result.id: result.passed for result in found}
    marks = {True: ":green[:material/check_circle:]", False: ":red[:material/cancel:]", None: ":gray[:material/circle:]"}
    st.markdown("  \n".join(f"{marks[passed.get(check.id)]} {check.title.of(visit.language)}" for check in checks))


def _result(key: str, bench: Workbench, visit: Visit, result: Result) -> None:
    if result.status is Status.UNGRADABLE:
        reason = feedback.own(result.reason, visit.language, markdown=True) if result.reason else ""
        st.warning(f"**{visit.t('ungraded.heading')}**  \n{reason}", icon=":material/help:")
        st.caption(visit.t("ungraded.no_cost"))
        _changed(bench, visit, result)
        return
    passed = [check for check in result.checks if check.passed]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key=f"{key}_score"):
        st.markdown(f"### {visit.t('grade.points', points=result.score, total=result.max)}", anchors=False, width="content")
        best = bench.journal.best(bench.learner, bench.lab.id)
        if best is not None and best.points is not None and best.points > result.score:
            st.caption(visit.t("grade.best", points=best.points, total=result.max), width="content")
    if result.passed:
        st.success(visit.t("grade.passed"), icon=":material/celebration:")
    else:
        said = "grade.passed_some" if passed else "grade.passed_none"
        st.markdown(visit.t(said, passed=len(passed), total=len(result.checks)))
    _changed(bench, visit, result)
    failed = [check for check in result.checks if not check.passed]
    for check in failed:
        _failed(key, bench, visit, check, first=check is failed[0])
    for check in passed:
        label = f":green[:material/check_circle:] {check.title.of(visit.language)} · {check.points}"
        with st.expander(label, key=f"{key}_{check.id}_passed"):
            st.markdown(feedback.message(bench.lab, check, visit.language, markdown=True))
    st.caption(f"{visit.t('grade.seed', seed=result.seed)}. {visit.t('grade.seed_help')}")


def _changed(bench: Workbench, visit: Visit, result: Result) -> None:
    if result.submission is not None and result.submission != checking.digest(bench.desk.code):
        st.caption(f":material/edit: {visit.t('grade.code_changed')}")


def _failed(key: str, bench: Workbench, visit: Visit, check: CheckResult, *, first: bool) -> None:
    label = f":red[:material/cancel:] **{check.title.of(visit.language)}** · {check.points}/{check.max}"
    with st.expander(label, expanded=first, key=f"{key}_{check.id}_failed"):
        st.markdown(feedback.message(bench.lab, check, visit.language, markdown=True))
        if check.evidence and check.record is not None:

            def show() -> None:
                st.session_state[f"{key}_evidence"] = check.id
                st.session_state[f"{key}_turn"] = st.session_state.get(f"{key}_turn", 0) + 1

            label = f"{visit.t('grade.evidence')} ({visit.t('grade.evidence_record', id=check.record)})"
            st.button(label, key=f"{key}_{check.id}_see", icon=":material/timeline:", on_click=show)
        _hints(f"{key}_{check.id}_hints", bench, visit, check)


def _hints(key: str, bench: Workbench, visit: Visit, check: CheckResult) -> None:
    """Show the hints that were asked for, and offer the next one."""
    texts = feedback.hints(bench.lab, check, visit.language, markdown=True)
    shown = min(int(st.session_state.get(key, 0)), len(texts))
    for rung, text in zip(_RUNGS[:shown], texts, strict=False):
        st.markdown(f":material/lightbulb: **{visit.t(rung)}**  \n{text}")
    if shown < len(texts):
        st.button(
            visit.t(_RUNGS[shown]) if shown else visit.t("hint.first"),
            key=f"{key}_next",
            type="tertiary",
            icon=":material/lightbulb:",
            on_click=lambda: st.session_state.update({key: shown + 1}),
        )
