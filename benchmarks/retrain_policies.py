"""When to retrain: policies played on the same simulated years, in wins captured and retrains spent.

Every policy works the best leads of each day by the champion's scores; the champion of the first day is the
same for all. Wins are counted by the true probabilities of the leads worked, which has none of the noise of
drawn outcomes.

* *never*: the first model stays.
* *monthly*, *daily, by contract*: a challenger each 30 days, or each day. It holds back the latest 14 days of
  leads whose outcome is known, the promotion contract judges it on them, and it is promoted only if every
  clause on scores holds.
* *daily, unjudged*: learnt anew each day on all leads whose outcome is known, none held back, promoted
  unseen: the most wins that retraining can catch, by models at which nobody has looked.
* *on alarm*: a challenger, judged by the contract, when a weekly run of `monitor` needs action.
* *if needed*: the same, or when the latest lead that the champion knows is 45 days old. Either waits for 420
  outcomes that the challenger before could not know.

The rule of *if needed* and the 14 days held back were chosen on seeds 100 and 101; nothing was tuned on the
years reported.

Writes `benchmarks/results/retrain_policies.md`.
"""

from __future__ import annotations

import argparse
import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from datetime import UTC
from pathlib import Path

import numpy as np

import simulated_year
from leadlift.lifecycle.monitoring.monitor import MonitorResult, monitor
from leadlift.lifecycle.retraining.comparison import compare
from leadlift.lifecycle.retraining.contract import PromotionContract, Verdict
from leadlift.lifecycle.retraining.rule import RetrainRule
from leadlift.terms import Finding
from machine import conditions
from markdown_tables import table
from simulated_service import bundle_of, scored_table
from simulated_year import (
    HELD_BACK_DAYS,
    HORIZON_DAYS,
    PLAYED_DAYS,
    Market,
    Model,
    best_of_each_day,
    learn,
    make_market,
)

RESULTS = Path(__file__).parent / "results" / "retrain_policies.md"
AFTERWARDS_DAYS = 28
DAYS_BETWEEN_RUNS = 7


@dataclass(frozen=True)
class Promotion:
    """A change of the model in service.

    Parameters
    ----------
    day : int
    verdict : Verdict or None
        None where nobody judged.
    wins_change : float
        True wins among the leads worked in the four weeks after it, against those that the former champion
        would have found in them, as a share.
    """

    day: int
    verdict: Verdict | None
    wins_change: float


@dataclass
class Service:
    """A model in service over the year, and what it has done so far.

    Parameters
    ----------
    market : Market
    champion : Model
    score : ndarray of float64, shape (n_leads,)
        Of the leads scored so far, on their day; NaN for the others.
    champion_since : int
        Day from which the champion scores.
    retrained_on : list of int
    promotions : list of Promotion
    wins : ndarray of float64, shape (n_days,)
        True wins among the leads worked each day.
    """

    market: Market
    champion: Model
    score: np.ndarray
    champion_since: int = 0
    retrained_on: list[int] = field(default_factory=list)
    promotions: list[Promotion] = field(default_factory=list)
    wins: np.ndarray = field(default_factory=lambda: np.zeros(PLAYED_DAYS))

    @classmethod
    def begin(cls, market: Market) -> Service:
        """Put the model of the first day in service."""
        return cls(market, learn(market, market.mature(0), 0), np.full(len(market.day), np.nan))

    def work(self, today: int) -> None:
        """Score the leads of a day and work the best of them."""
        rows = self.market.created(today, today + 1)
        self.score[rows] = self.champion.score(self.market, rows)
        best = best_of_each_day(self.market.day[rows], self.score[rows])
        self.wins[today] = self.market.true_probability[rows[best]].sum()

    def retrain(self, today: int, contract: PromotionContract | None) -> Verdict | None:
        """Learn a challenger; promote it if the contract holds, or unseen where there is none."""
        self.retrained_on.append(today)
        held_back_days = 0 if contract is None else HELD_BACK_DAYS
        challenger = learn(self.market, self.market.mature(today, held_back_days=held_back_days), today)
        verdict = None if contract is None else self._judge(challenger, today, contract)
        if verdict is None or verdict.holds:
            change = wins_change(self.market, self.champion, challenger, today)
            self.promotions.append(Promotion(today, verdict, change))
            self.champion, self.champion_since = challenger, today
        return verdict

    def _judge(self, challenger: Model, today: int, contract: PromotionContract) -> Verdict:
        rows = self.market.held_back(today, HELD_BACK_DAYS)
        models = (self.champion, challenger)
        found = compare(
            *[model.score(self.market, rows) for model in models],
            self.market.won[rows],
            tuple(model.scorer.cutoff_.threshold for model in models),
            grade_thresholds=tuple(model.grade_thresholds for model in models),
            confidence=contract.confidence,
        )
        return contract.judge(found)


def wins_change(market: Market, old: Model, new: Model, today: int) -> float:
    """True wins of the four weeks from a day on that a new model finds, against those of the old one."""
    rows = market.created(today, today + AFTERWARDS_DAYS)
    wins = [
        market.true_probability[rows[best_of_each_day(market.day[rows], model.score(market, rows))]].sum()
        for model in (old, new)
    ]
    return float(wins[1] / wins[0] - 1)


class Policy(ABC):
    """When a challenger is learnt. A policy keeps nothing from one year to the next."""

    name: str
    contract: PromotionContract | None = PromotionContract()

    @abstractmethod
    def needs_retraining(self, service: Service, today: int) -> bool:
        """Return whether to retrain before the leads of a day are scored."""

    def play(self, market: Market) -> Service:
        """Play a year."""
        service = Service.begin(market)
        for today in range(PLAYED_DAYS):
            if self.needs_retraining(service, today):
                service.retrain(today, self.contract)
            service.work(today)
        return service


class Never(Policy):
    name = "never"

    def needs_retraining(self, service: Service, today: int) -> bool:
        """Keep the first model."""
        return False


class Every(Policy):
    """Each so many days, the first day excepted."""

    def __init__(self, days: int, name: str, contract: PromotionContract | None) -> None:
        self.days, self.name, self.contract = days, name, contract

    def needs_retraining(self, service: Service, today: int) -> bool:
        """Look at the calendar alone."""
        return today > 0 and today % self.days == 0


class IfNeeded(Policy):
    """Ask the rule each day, with what the weekly run of monitoring said last of the champion.

    The age is that of the latest lead that the champion learnt from or was compared on. Outcomes count as
    new where the latest challenger, promoted or not, could not know them: one that was refused is not learnt
    again the next day.
    """

    def __init__(self, rule: RetrainRule, name: str = "if needed") -> None:
        self.rule, self.name = rule, name

    def play(self, market: Market) -> Service:
        """Play a year, nothing known at its beginning."""
        self.findings: tuple[Finding, ...] = ()
        return super().play(market)

    def needs_retraining(self, service: Service, today: int) -> bool:
        """Ask the rule."""
        if today == service.champion_since:
            return False
        if today % DAYS_BETWEEN_RUNS == 0:
            self.findings = monitored(service, today).findings
        market = service.market
        latest = max([0, *service.retrained_on])
        decision = self.rule.decide(
            age_days=today - service.champion.made_on_day + HORIZON_DAYS,
            findings=self.findings,
            n_new_labels=len(market.created(latest - HORIZON_DAYS, today - HORIZON_DAYS)),
        )
        return decision.needed


def monitored(service: Service, today: int) -> MonitorResult:
    """Monitor the champion on the leads that it has scored so far."""
    market = service.market
    rows = market.created(service.champion_since, today)
    bundle = bundle_of(market, service.champion)
    return monitor(
        bundle,
        scored_table(market, bundle, rows, service.score[rows]),
        inputs=market.table(market.created(today - 1, today)),
        outcomes=market.outcomes(today),
        known_until=market.moment(today).item().replace(tzinfo=UTC),
    )


CONTRACT = PromotionContract()
RULE = RetrainRule(max_age_days=45, min_new_labels=420)
ON_ALARM = RetrainRule(max_age_days=None, min_new_labels=420)
POLICIES: dict[str, Policy] = {
    policy.name: policy
    for policy in (
        Never(),
        Every(30, "monthly", CONTRACT),
        IfNeeded(ON_ALARM, "on alarm"),
        IfNeeded(RULE, "if needed"),
        Every(1, "daily, by contract", CONTRACT),
        Every(1, "daily, unjudged", None),
    )
}


@dataclass(frozen=True)
class Year:
    """What a policy did in one year; JSON-ready."""

    policy: str
    seed: int
    wins: float
    n_retrains: int
    n_promotions: int
    worst_promotion: float | None
    by_month: list[float]


def play_year(policy: Policy, seed: int) -> Year:
    """Play a policy on the year of a seed."""
    service = policy.play(make_market(seed))
    changes = [promotion.wins_change for promotion in service.promotions]
    by_month = [float(part.sum()) for part in np.array_split(service.wins, 12)]
    n_retrains = len(service.retrained_on)
    worst = min(changes, default=None)
    return Year(policy.name, seed, float(service.wins.sum()), n_retrains, len(changes), worst, by_month)


# The page

HEADINGS = (
    "policy", "wins a year", "of daily, unjudged", "worst year", "of daily, by contract", "retrains a year",
    "promotions", "worst promotion",
)  # fmt: skip
UNJUDGED, BY_CONTRACT = "daily, unjudged", "daily, by contract"


def policy_row(name: str, years: list[Year]) -> list[str]:
    """Means over the years of a policy, each year beside the same year of the daily ones."""
    own = {year.seed: year for year in years if year.policy == name}
    beside_unjudged = _shares(own, years, UNJUDGED)
    beside_contract = _shares(own, years, BY_CONTRACT)
    worst = [year.worst_promotion for year in own.values() if year.worst_promotion is not None]
    return [
        name,
        f"{np.mean([year.wins for year in own.values()]):,.0f}",
        f"{np.mean(beside_unjudged):.1%}",
        f"{min(beside_unjudged):.1%}",
        f"{np.mean(beside_contract):.1%}" if beside_contract else "",
        f"{np.mean([year.n_retrains for year in own.values()]):.0f}",
        f"{np.mean([year.n_promotions for year in own.values()]):.0f}",
        f"{min(worst):+.1%}" if worst else "",
    ]


def _shares(own: dict[int, Year], years: list[Year], name: str) -> list[float]:
    """Wins of each year as a share of those of another policy in the same year, where it was played."""
    others = {year.seed: year.wins for year in years if year.policy == name}
    return [year.wins / others[seed] for seed, year in own.items() if seed in others]


def month_rows(years: list[Year]) -> list[list[str]]:
    """Wins by twelfth of the year, as a share of those of daily retraining unjudged."""
    monthly = {
        name: np.sum([year.by_month for year in of_policy], axis=0)
        for name in POLICIES
        if (of_policy := [year for year in years if year.policy == name and _has_all(year.seed, years)])
    }
    shares = {name: wins / monthly[UNJUDGED] for name, wins in monthly.items()}
    return [[str(month + 1), *(f"{share[month]:.0%}" for share in shares.values())] for month in range(12)]


def _has_all(seed: int, years: list[Year]) -> bool:
    return len({year.policy for year in years if year.seed == seed}) == len({year.policy for year in years})


def page(years: list[Year]) -> str:
    """The page of results."""
    played = [name for name in POLICIES if any(year.policy == name for year in years)]
    n_years = {name: sum(year.policy == name for year in years) for name in played}
    lines = ["# When to retrain", "", conditions(), "", *str(simulated_year.__doc__).splitlines()[2:], ""]
    lines += [*str(__doc__).splitlines()[2:-1]]
    lines += ["Years played: " + ", ".join(f"{name} {n}" for name, n in n_years.items()) + ".", ""]
    lines += table(HEADINGS, [policy_row(name, years) for name in played])
    lines += ["## By month", "", "Wins as a share of those of *daily, unjudged*, same years.", ""]
    lines += table(("month", *played), month_rows(years))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(10)))
    parser.add_argument("--policies", nargs="+", default=list(POLICIES), choices=list(POLICIES))
    parser.add_argument(
        "--keep", type=Path, help="file of JSON lines to add the years to, and to read others from"
    )
    arguments = parser.parse_args()
    years = [play_year(POLICIES[name], seed) for seed in arguments.seeds for name in arguments.policies]
    if arguments.keep is not None:
        with arguments.keep.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(year)) + "\n" for year in years)
        kept = arguments.keep.read_text(encoding="utf-8").splitlines()
        years = [Year(**json.loads(line)) for line in kept]
    RESULTS.write_text(page(years), encoding="utf-8")
    print(page(years))


if __name__ == "__main__":
    main()
