"""The feedback loop: what a model becomes that learns only from the leads it has sent to sales.

A simulated CRM is worked for several rounds. In each the model of the rounds before scores the new leads,
sales works as many as it can, and the model is learnt anew from the last rounds. Ways of learning differ in
what they do about leads that nobody worked. In one world a segment that hardly ever reaches the line becomes
good. What each way says of all leads is compared with the truth. Writes `benchmarks/results/feedback.md`.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import expit, logit

from leadlift.data.datasets import make_leads
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.propensity import inverse_propensity
from leadlift.learning.scorer import LeadScorer
from leadlift.serving.exploring import is_drawn
from machine import conditions

RESULTS = Path(__file__).parent / "results" / "feedback.md"
NO_INPUTS = (
    "lead_id", "created_at", "closed_at", "outcome", "gender",
    "sales_stage", "last_activity", "loss_reason", "loss_note", "deal_amount",
)  # fmt: skip
AS_LOST, LEFT_OUT, ALL_KNOWN = "not worked = lost", "not worked left out", "every outcome known"
UNWEIGHTED, WEIGHTED, LEARNER_TOO = "explored", "explored, weighted", "explored, learner weighted too"
EXPLORING = (UNWEIGHTED, WEIGHTED, LEARNER_TOO)
WAYS = (AS_LOST, LEFT_OUT, *EXPLORING, ALL_KNOWN)
SEGMENT, TURNED = "seniority", "student"


@dataclass(frozen=True)
class Plan:
    """What is played.

    Parameters
    ----------
    n_rounds, round_leads : int
        In the first round every lead is worked, since there is no model yet.
    capacity_share : float
        Share of a round's leads that sales can work, the random slice included.
    explore_share : float
        Share of the leads below the line that is worked all the same, where a way explores.
    turn_round : int
        From this round on the odds of the turned segment are `turn_odds` times those of before.
    turn_odds : float
    memory_rounds : int
        Rounds that a model learns from, the latest ones.
    """

    n_rounds: int = 12
    round_leads: int = 6_000
    capacity_share: float = 0.25
    explore_share: float = 0.05
    turn_round: int = 4
    turn_odds: float = 60.0
    memory_rounds: int = 4


@dataclass(frozen=True)
class World:
    """All leads of all rounds, in their order, with the truth."""

    inputs: pa.Table
    lead_id: pa.ChunkedArray
    round_number: np.ndarray
    truth: np.ndarray
    won: np.ndarray

    @property
    def is_turned(self) -> np.ndarray:
        """Whether the lead is of the segment that becomes good."""
        return pc.fill_null(pc.equal(self.inputs[SEGMENT], TURNED), fill_value=False).to_numpy()


@dataclass
class Known:
    """What sales has done with the leads so far: who was worked, and how likely that was."""

    is_worked: np.ndarray
    probability: np.ndarray


def simulate(plan: Plan, seed: int) -> World:
    """Leads whose probability to be won is known, a segment of which turns."""
    n = plan.n_rounds * plan.round_leads
    simulated = make_leads(n, seed, drift=1.0, with_events=False)
    number = np.arange(n) // plan.round_leads
    inputs = simulated.leads.drop_columns(list(NO_INPUTS))
    world = World(inputs, simulated.leads["lead_id"], number, simulated.true_probability(), np.empty(0))
    turned = world.is_turned & (number >= plan.turn_round)
    truth = np.where(turned, expit(logit(world.truth) + np.log(plan.turn_odds)), world.truth)
    won = np.random.default_rng([seed, 1]).random(n) < truth
    return World(inputs, world.lead_id, number, truth, won)


def work(plan: Plan, world: World, rows: np.ndarray, score: np.ndarray, *, explores: bool) -> Known:
    """Work the best of a round, after the random slice has taken its part of the capacity."""
    n_worked = round(plan.capacity_share * len(rows))
    order = np.argsort(-score, kind="stable")
    if not explores:
        is_worked = np.isin(np.arange(len(rows)), order[:n_worked])
        return Known(is_worked, is_worked.astype(float))
    drawn = is_drawn(world.lead_id.take(pa.array(rows)), plan.explore_share)
    # The line is where the best, and the drawn ones below them, are as many as can be worked.
    n_best = int(np.searchsorted(np.arange(len(rows)) + np.cumsum(drawn[order][::-1])[::-1], n_worked))
    is_best = np.isin(np.arange(len(rows)), order[:n_best])
    return Known(is_best | drawn, np.where(is_best, 1.0, plan.explore_share))


def labels(way: str, world: World, known: Known, rows: np.ndarray) -> tuple[np.ndarray, ...]:
    """Rows that a way learns from, what it takes for their outcome, and what each counts for."""
    worked, won = known.is_worked[rows], world.won[rows]
    if way == ALL_KNOWN:
        return rows, won, np.ones(len(rows))
    if way == AS_LOST:
        return rows, won & worked, np.ones(len(rows))
    if way == LEFT_OUT:
        return rows[worked], won[worked], np.ones(int(worked.sum()))
    weight = inverse_propensity(known.probability[rows][worked]).weight
    return rows[worked], won[worked], np.ones(len(weight)) if way == UNWEIGHTED else weight


def learn(way: str, world: World, known: Known, rows: np.ndarray, learner: BaggedTrees) -> LeadScorer:
    """A model of some rounds."""
    taught, won, weight = labels(way, world, known, rows)
    X = world.inputs.take(pa.array(taught))
    given = {"sample_weight" if way == LEARNER_TOO else "contact_weight": weight}
    return LeadScorer(learner=learner).fit(X, won.astype(int), as_of=taught, **given)


def play(plan: Plan, world: World, way: str, learner: BaggedTrees) -> tuple[Known, np.ndarray]:
    """Play all rounds; return what was worked, and what was said of each lead before it was."""
    n = len(world.won)
    known = Known(np.ones(n, dtype=bool), np.ones(n))
    score = np.full(n, np.nan)
    for number in range(1, plan.n_rounds):
        seen = np.flatnonzero(
            (world.round_number < number) & (world.round_number >= number - plan.memory_rounds)
        )
        new = np.flatnonzero(world.round_number == number)
        model = learn(way, world, known, seen, learner)
        score[new] = model.predict_proba(world.inputs.take(pa.array(new)))[:, 1]
        done = work(plan, world, new, score[new], explores=way in EXPLORING)
        known.is_worked[new], known.probability[new] = done.is_worked, done.probability
    return known, score


def judge(plan: Plan, world: World, known: Known, score: np.ndarray) -> dict[str, float]:
    """What was said of the last round's leads beside the truth, and what was won since the segment turned."""
    last = world.round_number == plan.n_rounds - 1
    below = last & (known.probability < 1)
    turned = last & world.is_turned
    since = world.round_number >= plan.turn_round
    worked, drawn = since & known.is_worked, since & known.is_worked & (known.probability < 1)
    return {
        "said of all": score[last].mean(),
        "true": world.truth[last].mean(),
        "said below the line": score[below].mean(),
        "true below the line": world.truth[below].mean(),
        "said of the segment": score[turned].mean(),
        "true of the segment": world.truth[turned].mean(),
        "segment worked": known.is_worked[turned].mean(),
        "wins of the last round": world.truth[last & known.is_worked].sum(),
        "contacts": worked.sum(),
        "wins": world.truth[worked].sum(),
        "contacts explored": drawn.sum(),
        "wins explored": world.truth[drawn].sum(),
    }


def compare(plan: Plan, seed: int, learner: BaggedTrees) -> dict[str, dict[str, float]]:
    """The figures of each way in one world."""
    world = simulate(plan, seed)
    return {way: judge(plan, world, *play(plan, world, way, learner)) for way in WAYS}


HEADINGS = {
    "said of all": "true",
    "said below the line": "true below the line",
    "said of the segment": "true of the segment",
}
INTRODUCTION = """\
`make bench-feedback`. {n_rounds} rounds of {round_leads:,} leads of a simulated CRM (base rate 0.12); in the
first every lead is worked, later the best by score, {capacity_share:.0%} of a round. A way that explores
spends some of these contacts on {explore_share:.0%} of the leads below the line, drawn by a hash of their id.
Each model learns from the last {memory_rounds} rounds; every way works {contacts:,.0f} leads from round
{turn_round} on, the first being round 0.

"Said" and "true" are means over the leads of the last round, "below the line" over those that were not worked
for their score. The segment are students, {share:.0%} of the leads. Wins are expected ones, by the true
probabilities: those of the last round, and all from round {turn_round} on. Means over {n_seeds} worlds, with
standard errors.
"""


def tabulated(figures: dict[str, list[dict[str, float]]]) -> list[str]:
    """One line of Markdown a way."""
    counted = ("wins of the last round", "wins")
    heads = ["way", *(name for pair in HEADINGS.items() for name in pair), "segment worked", *counted]
    lines = [f"| {' | '.join(heads)} |", "|---|" + "---|" * (len(heads) - 1)]
    for way, each in figures.items():
        cells = [_cell(each, name) for pair in HEADINGS.items() for name in pair]
        share = np.mean([found["segment worked"] for found in each])
        won = [_cell(each, name, ".0f") for name in counted]
        lines.append(f"| {' | '.join([way, *cells, f'{share:.0%}', *won])} |")
    return lines


def _cell(each: list[dict[str, float]], name: str, form: str = ".3f") -> str:
    values = np.array([found[name] for found in each])
    return f"{values.mean():{form}} ± {values.std(ddof=1) / np.sqrt(len(values)):{form}}"


def price_line(figures: dict[str, list[dict[str, float]]]) -> str:
    """What the random slice cost."""
    explored, known = figures[WEIGHTED], figures[ALL_KNOWN]
    contacts, wins = (np.mean([f[name] for f in explored]) for name in ("contacts explored", "wins explored"))
    forgone = np.mean([a["wins"] - b["wins"] for a, b in zip(known, explored, strict=True)])
    best = np.mean([f["wins"] / f["contacts"] for f in known])
    return (
        f"The price of *{WEIGHTED}*: {contacts:,.0f} contacts of the random slice, which won {wins:,.0f}, "
        f"one in {contacts / wins:.0f}; of leads worked for their score with every outcome known it is one "
        f"in {1 / best:.1f}. All in all {forgone:,.0f} wins fewer than with every outcome known, which "
        f"nobody has."
    )


def main() -> None:
    """Play both worlds and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=4)
    n_seeds = parser.parse_args().seeds
    learner = BaggedTrees(n_folds=2, max_rounds=100, n_jobs=1)
    lines = ["# The feedback loop", ""]
    for title, plan in {"A segment turns good": Plan(), "Nothing changes": Plan(turn_odds=1.0)}.items():
        played = [compare(plan, seed, learner) for seed in range(n_seeds)]
        figures = {way: [found[way] for found in played] for way in WAYS}
        if len(lines) == 2:
            told = {"contacts": played[0][ALL_KNOWN]["contacts"], "n_seeds": n_seeds}
            share = simulate(plan, 0).is_turned.mean()
            lines += [INTRODUCTION.format(**vars(plan), **told, share=share), conditions(), ""]
        note = f"the odds of students are {plan.turn_odds:g} times as high from round {plan.turn_round} on"
        lines += [f"## {title}", "", *([f"Here {note}.", ""] if plan.turn_odds != 1 else [])]
        lines += [*tabulated(figures), "", price_line(figures), ""]
    RESULTS.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
