"""Fit the line between covered and other questions: `python -m evals.scope`. Prints the constants of advisor/answer/scope.py.

Logistic regression on four figures of a question: its nearness to what was reviewed, its nearness to the examples outside, the
log-odds that the scope classifier gives it, and whether it names a term of the trade. Fitted on the tuning halves of three suites,
follow-ups left out.
"""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.progress import track
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from advisor import Advisor
from advisor.answer.question import understand
from advisor.answer.scope import scope_figures
from advisor.retrieve import retrieve
from evals.cases import Case, read_cases

SUITES = ("answers", "retrieval", "refusals")
FOLDS = 10
# Weak regularisation: four figures, some hundreds of questions.
C = 10.0


def figures_of(advisor: Advisor, question: Case) -> tuple[float, float, float, float]:
    opened = advisor._open
    understood = understand(question.question, [], opened.index, advisor._encoder, opened.lexicon)
    return scope_figures(understood, retrieve(understood, opened.index, advisor._encoder, advisor._adapter))


def main() -> None:
    advisor = Advisor.open()
    questions = [q for suite in SUITES for q in read_cases(suite) if q.half == "tune" and not q.history]
    rows = np.array([figures_of(advisor, q) for q in track(questions, console=Console(stderr=True))])
    covered = np.array([q.expect == "answered" for q in questions])
    model = LogisticRegression(C=C)
    chance = cross_val_predict(model, rows, covered, cv=FOLDS, method="predict_proba")[:, 1]
    model.fit(rows, covered)
    names = ("NEAR_WEIGHT", "OUTSIDE_WEIGHT", "ODDS_WEIGHT", "TERM_WEIGHT")
    constants = dict(zip(names, model.coef_[0], strict=True)) | {"INTERCEPT": model.intercept_[0]}
    print(", ".join(f"{name} = {value:.2f}" for name, value in constants.items()))
    print(f"{len(questions)} questions, AUC {roc_auc_score(covered, chance):.3f} (cross-validated)")
    off = np.array([q.expect == "off_topic" for q in questions])
    for bound in (0.3, 0.4, 0.5, 0.6, 0.7):
        shares = [float(np.mean(chance[of] < bound)) for of in (covered, off, ~covered & ~off)]
        print(f"refused below {bound}: covered {shares[0]:.3f}, off topic {shares[1]:.3f}, not in sources {shares[2]:.3f}")


if __name__ == "__main__":
    main()
