"""Cases go where they may, and every step stays."""

from __future__ import annotations

import pytest

from exchange.surveillance.case_file import (
    STEPS_MAX,
    CaseFile,
    CaseOutcome,
    CaseRefused,
    CaseState,
    Officer,
    assign,
    close,
    escalate,
    reopen,
)

KIM = Officer(7, "kim")


def test_a_new_case_is_assigned_escalated_closed_and_opened_again() -> None:
    case = assign(CaseFile(), "lee", KIM, "today", 1)
    assert (case.state, case.assignee) == (CaseState.IN_REVIEW, "lee")
    case = escalate(case, KIM, "again", 2)
    assert assign(case, "max", KIM, "holiday", 3).state is CaseState.ESCALATED
    case = close(case, CaseOutcome.REPORTED, KIM, "done", 4)
    assert (case.state, case.outcome) == (CaseState.CLOSED, "reported")
    case = reopen(case, KIM, "news", 5)
    assert (case.state, case.outcome, len(case.steps)) == (CaseState.IN_REVIEW, "", 4)


def test_a_new_case_may_be_closed_at_once() -> None:
    assert close(CaseFile(), CaseOutcome.UNFOUNDED, KIM, "a test", 1).state is CaseState.CLOSED


def test_what_a_closed_case_refuses_says_why() -> None:
    closed = close(CaseFile(), CaseOutcome.EXPLAINED, KIM, "hedge", 1)
    for act in (
        lambda: assign(closed, "lee", KIM, "why", 2),
        lambda: escalate(closed, KIM, "why", 2),
        lambda: close(closed, CaseOutcome.WARNED, KIM, "why", 2),
    ):
        with pytest.raises(CaseRefused, match="closed as explained"):
            act()
    with pytest.raises(CaseRefused, match="only a closed one"):
        reopen(CaseFile(), KIM, "why", 2)
    with pytest.raises(CaseRefused, match="escalated already"):
        escalate(escalate(CaseFile(), KIM, "why", 1), KIM, "why", 2)


def test_a_case_takes_only_so_many_steps() -> None:
    case = CaseFile()
    for number in range(STEPS_MAX):
        case = assign(case, "lee", KIM, "why", number)
    with pytest.raises(CaseRefused, match="the most it takes"):
        assign(case, "lee", KIM, "why", 1)
