"""Leads whose outcome is known, seen through a model: what its report is made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadlift.config import LeadliftConfig
from leadlift.data.addresses import source_name
from leadlift.data.events import Events, read_events
from leadlift.data.history import read_history
from leadlift.data.observations import Observations
from leadlift.data.reading import Leads, read_leads
from leadlift.data.second_label import second_label
from leadlift.exceptions import InputError, SchemaError, column_diff
from leadlift.insight.families import family_scores
from leadlift.insight.scorecard.points_scorecard import ENOUGH_ROWS, PointsScorecard
from leadlift.lifecycle.fingerprint import fingerprint
from leadlift.lifecycle.holdout import FORWARD, LEAST_TESTED, Holdout, hold_back, rows_by_content, tested_rows
from leadlift.lifecycle.inputs import told_columns
from leadlift.lifecycle.observing import observe
from leadlift.lifecycle.preparing import Problem, lead_groups
from leadlift.lifecycle.sql_model import SqlQuality, measure_sql
from leadlift.serving.bundle import ModelBundle

if TYPE_CHECKING:
    from numpy.typing import NDArray


# Leads whose contributions are in memory at a time.
PIECE_ROWS = 32_768


@dataclass(frozen=True)
class SeenLeads:
    """What a model says of some leads.

    Parameters
    ----------
    score, log_odds : ndarray of float64, shape (n_rows,)
        Published, and uncalibrated.
    families : dict of str to ndarray of float64, shape (n_rows,)
        Sub-scores by family.
    """

    score: NDArray[np.float64]
    log_odds: NDArray[np.float64]
    families: dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Hindsight:
    """A model and leads whose outcome is known.

    Parameters
    ----------
    bundle : ModelBundle
    problem : Problem
        The leads, with the inputs of the bundle's model.
    split : Holdout
        Rows the model may have learnt from, and rows it has not seen.
    config : LeadliftConfig
    is_of_training : bool
        Whether these are the leads of the training run, so that what it measured holds for them.
    """

    bundle: ModelBundle
    problem: Problem
    split: Holdout
    config: LeadliftConfig
    is_of_training: bool = True

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """The row of each lead's first moment, shape (n_leads,)."""
        index = self.problem.observations.index
        return np.flatnonzero(np.diff(index, prepend=-1))

    @cached_property
    def learnt(self) -> NDArray[np.int64]:
        """The first moment of each lead learnt from, in an order that is not that of the file."""
        train = self.split.train
        return train[np.isin(train, self.first)]

    @cached_property
    def test_scores(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Published scores and uncalibrated log-odds of the test rows."""
        return self._test_seen.score, self._test_seen.log_odds

    @cached_property
    def test_families(self) -> dict[str, NDArray[np.float64]]:
        """What each family of columns contributes to the scores of the test rows."""
        return self._test_seen.families

    @cached_property
    def _test_seen(self) -> SeenLeads:
        return self.seen(self.split.test)

    def seen(self, rows: NDArray[np.int64]) -> SeenLeads:
        """Score some rows, and say what each family contributes; piece by piece, as memory is bounded."""
        bundle, pieces = self.bundle, []
        for start in range(0, len(rows), PIECE_ROWS):
            matrix = bundle.model.encode(self.inputs(rows[start : start + PIECE_ROWS]))
            found = bundle.attributor.explain(matrix)
            families = family_scores(bundle.explained_specs, found.contributions, found.residual)
            pieces.append((found.score, found.log_odds, families))
        score, log_odds, families = zip(*pieces, strict=True)
        by_family = {name: np.concatenate([piece[name] for piece in families]) for name in families[0]}
        return SeenLeads(np.concatenate(score), np.concatenate(log_odds), by_family)

    def inputs(self, rows: NDArray[np.int64]) -> pa.Table:
        """Return the inputs of some rows."""
        return self.problem.inputs.take(pa.array(rows))

    def told(self, rows: NDArray[np.int64]) -> pa.Table:
        """Return what ``[insight]`` names of the leads of some rows, and their outcome."""
        return self.problem.leads.take(pa.array(self.problem.observations.index[rows]))

    def sample(self, rows: NDArray[np.int64], n: int) -> NDArray[np.int64]:
        """Draw at most `n` of some rows, by the seed of the configuration.

        The draw depends on the order of the rows: give those of the split, whose order is that of content.
        """
        if len(rows) <= n:
            return rows
        rng = np.random.default_rng(self.config.model.random_state)
        return rows[np.sort(rng.choice(len(rows), n, replace=False))]

    @cached_property
    def sql_quality(self) -> SqlQuality | None:
        """How the model of the second label does on the test rows; None where there is one label."""
        return measure_sql(self.problem, self.split, self.bundle.scorer, self.bundle.sql_scorer)

    @cached_property
    def scorecard(self) -> PointsScorecard:
        """The model as a points table, learnt from the leads it knew and measured on the test rows."""
        scorer, test = self.bundle.scorer, self.split.test
        settings = self.config.model
        card = PointsScorecard(monotone=settings.monotone or None, random_state=settings.random_state)
        card.fit(self.inputs(self.sample(self.split.train, ENOUGH_ROWS)), scorer, specs=self.bundle.specs)
        card.measure(self.inputs(test), self.problem.y[test], scorer)
        return card

    @cached_property
    def events(self) -> Events | None:
        """The events of the leads, None where none are configured."""
        return None if self.config.data.events is None else read_events(self.config)


def look_back(config: LeadliftConfig, bundle: ModelBundle) -> Hindsight:
    """Read leads whose outcome is known, and say which of them a model has not seen.

    Of the leads of the training run these are the ones that were held back then. Of others they are those
    observed after all leads of the training run.

    Parameters
    ----------
    config : LeadliftConfig
    bundle : ModelBundle

    Returns
    -------
    Hindsight

    Raises
    ------
    InputError
        The leads cannot be read, or hold none that the model has not seen.
    SchemaError
        An input of the model is missing.
    ImmatureLabelsError
        No lead has a known outcome within the horizon.
    """
    trained = _as_trained(config, bundle)
    problem = _problem(trained, bundle)
    if fingerprint(config.data.leads, problem.inputs) == bundle.provenance["data_sha256"]:
        model = trained.model
        split = hold_back(problem, test_share=model.test_share, random_state=model.random_state)
        return Hindsight(bundle, problem, split, trained)
    trained = _known_until(config, trained)
    problem = _problem(trained, bundle)
    return Hindsight(bundle, problem, _later(problem, bundle, trained), trained, is_of_training=False)


def problem_of(config: LeadliftConfig, bundle: ModelBundle) -> Problem:
    """Read the leads of a configuration as a bundle sees them: with its label and its inputs.

    Parameters
    ----------
    config : LeadliftConfig
        Says where the leads are and up to when outcomes are known.
    bundle : ModelBundle

    Returns
    -------
    Problem

    Raises
    ------
    InputError, SchemaError, ImmatureLabelsError
        As for :func:`look_back`.
    """
    return _problem(_known_until(config, _as_trained(config, bundle)), bundle)


def _known_until(config: LeadliftConfig, trained: LeadliftConfig) -> LeadliftConfig:
    """The configuration of a training run for other leads: their outcomes are known up to another moment."""
    roles = trained.roles.model_copy(update={"known_until": config.roles.known_until})
    return trained.model_copy(update={"roles": roles})


def _as_trained(config: LeadliftConfig, bundle: ModelBundle) -> LeadliftConfig:
    """The configuration of the training run, with the files and the insight asked for now.

    With a share of test leads, a seed or a label that was changed since, rows the model has learnt from would
    be taken for unseen.
    """
    now = {"data": config.data.model_dump(), "models": config.models, "insight": config.insight.model_dump()}
    # Families are those of the bundle's inputs.
    return LeadliftConfig.model_validate({**bundle.provenance["config"], "families": {}, **now})


def _problem(config: LeadliftConfig, bundle: ModelBundle) -> Problem:
    """The rows of the learning problem with the inputs of a bundle; nobody looks for leaks again."""
    leads = read_leads(config)
    observations = observe(leads, config)
    return Problem(
        schema=bundle.schema,
        inputs=_inputs(leads, observations, bundle, config),
        specs=bundle.specs,
        builder=bundle.builder,
        observations=observations,
        leakage=None,
        findings=(),
        n_leads=leads.table.num_rows,
        leads=told_columns(leads, config),
        second=None if config.roles.qualified_at is None else second_label(leads, observations),
    )


def _inputs(
    leads: Leads, observations: Observations, bundle: ModelBundle, config: LeadliftConfig
) -> pa.Table:
    names = bundle.schema.feature_names
    absent = [name for name in names if name not in leads.table.column_names]
    if absent:
        msg = f"{source_name(config.data.leads)} lacks inputs of the model:\n"
        raise SchemaError(msg + column_diff(names, leads.table.column_names))
    if bundle.builder is None:
        return leads.table.select(names).take(pa.array(observations.index))
    return bundle.builder.transform(
        observations,
        leads=leads,
        events=None if config.data.events is None else read_events(config),
        history=None if config.data.history is None else read_history(config),
    )


def _later(problem: Problem, bundle: ModelBundle, config: LeadliftConfig) -> Holdout:
    """Leads of which every moment comes after those of the training run; one moment of each."""
    learnt_from = bundle.provenance["as_of_range"]
    moments = problem.as_of if problem.observations.time == "dates" else None
    later = np.zeros(len(problem.y), bool)
    if learnt_from is not None and moments is not None:
        lead = lead_groups(problem.observations)
        known = moments <= np.datetime64(learnt_from[1])
        later = ~np.isin(lead, lead[known])
    won = int(problem.y[later].sum())
    if min(won, int(later.sum()) - won) < LEAST_TESTED:
        msg = (
            f"{source_name(config.data.leads)} has changed since the model was trained, and holds fewer than "
            f"{LEAST_TESTED} won or lost leads that came after; what it says of them cannot be tested. Point "
            "[data] leads to the leads of the training run, or train again."
        )
        raise InputError(msg)
    order = rows_by_content(problem)
    test = tested_rows(order[later[order]], problem, config.model.random_state)
    return Holdout(order[~later[order]], test, FORWARD)
