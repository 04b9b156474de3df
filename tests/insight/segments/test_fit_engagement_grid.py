"""The grid puts each lead in one of sixteen cells, by edges learnt once, with an action for each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import leadlift as ll
from laws import law
from leadlift.exceptions import InputError
from leadlift.insight.segments.grid import ACTIONS, CELLS

scores = st.lists(st.tuples(*[st.floats(-1, 1), st.floats(-1, 1), st.booleans()]), min_size=1, max_size=80)


def test_the_best_fit_with_most_engagement_is_a1_and_the_opposite_d4():
    edges = ll.GridEdges((0.1, 0.2, 0.3), (0.1, 0.2, 0.3))
    cells = ll.grid_cells([0.9, 0.3, 0.29, 0.0, 0.0], [0.9, 0.0, 0.25, 0.9, 0.0], edges)
    assert cells.tolist() == ["A1", "A4", "B2", "D1", "D4"]


def test_cells_count_leads_wins_and_scores_by_eye():
    grid = ll.fit_engagement_grid(
        [1, 2, 3, 4], [1, 2, 3, 4], [False, False, False, True], score=[0.1, 0.2, 0.3, 0.8], least_leads=1
    )
    found = {row["cell"]: row for row in grid.to_pylist()}
    assert (found["A1"]["n"], found["A1"]["rate"], found["A1"]["lift"]) == (1, 1.0, 4.0)
    assert (found["D4"]["mean_score"], found["D4"]["won"]) == (0.1, 0)
    assert (found["A4"]["n"], found["A4"]["rate"], found["A4"]["mean_score"]) == (0, None, None)


def test_a_cell_of_three_leads_is_too_few():
    grid = ll.fit_engagement_grid(np.arange(12), np.arange(12), np.arange(12) > 8)
    assert all(grid["too_few"].to_pylist())


def test_later_leads_are_put_in_the_cells_of_the_edges_learnt_before():
    rng = np.random.default_rng(0)
    fit, engagement = rng.normal(size=(2, 400))
    edges = ll.grid_edges(fit, engagement)
    n = ll.fit_engagement_grid(fit + 10, engagement, fit > 0, edges=edges)["n"].to_numpy()
    assert n[:4].sum() == 400


def test_quartiles_are_the_edges_where_none_are_given():
    fit, engagement = np.arange(400), np.arange(400)[::-1]
    grid = ll.fit_engagement_grid(fit, engagement, fit > 200)
    assert grid["n"].to_numpy().reshape(4, 4).sum(axis=1).tolist() == [100] * 4
    assert grid["cell"].to_pylist() == list(CELLS)


def test_every_cell_has_an_action_and_a_team_may_say_otherwise():
    assert set(ACTIONS) == set(CELLS)
    grid = ll.fit_engagement_grid([1], [1], [True], actions={"A1": "phone within the hour"})
    assert grid["action"].to_pylist()[:2] == ["phone within the hour", ACTIONS["A2"]]
    with pytest.raises(InputError, match="cells A1 to D4, got 'E9'"):
        ll.fit_engagement_grid([1], [1], [True], actions={"E9": "?"})


@law
@given(scores)
def test_every_lead_is_in_one_cell_in_any_order(leads):
    fit, engagement, won = map(np.array, zip(*leads, strict=True))
    grid = ll.fit_engagement_grid(fit, engagement, won)
    assert sum(grid["n"].to_pylist()) == len(leads)
    assert sum(grid["won"].to_pylist()) == won.sum()
    assert ll.fit_engagement_grid(fit[::-1], engagement[::-1], won[::-1]).equals(grid)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ll.grid_edges([], []), "two sub-scores for each lead"),
        (lambda: ll.grid_edges([1.0], [1.0, 2.0]), "two sub-scores for each lead"),
        (lambda: ll.grid_edges([np.nan, 1.0], [1.0, 2.0]), "1 of 2 leads have no finite sub-score"),
        (lambda: ll.grid_cells([1], [1], ll.GridEdges((3, 2, 1), (1, 2, 3))), "3 edges that ascend"),
        (lambda: ll.fit_engagement_grid([1], [1], [True, False]), "one outcome for each of 1 leads"),
        (lambda: ll.fit_engagement_grid([1], [1], [True], score=[1, 2]), "a score for each of 1 leads"),
    ],
)
def test_bad_input_says_what_came(call, message):
    with pytest.raises(InputError, match=message):
        call()
