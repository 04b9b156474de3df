"""What would lift a lead: only what can still change, and the score is the model's own."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laws import law
from leadlift.exceptions import ConfigError
from leadlift.features.specs import Specs
from leadlift.insight.levers import levers
from leadlift.insight.lift import LIFT_SCHEMA, lift_scores
from leadlift.insight.texts import load_texts
from leadlift.learning.blending import BlendedLearner
from leadlift.learning.candidates import BaggedTrees
from leadlift.learning.encoding import EncodedColumn
from leadlift.learning.scorer import LeadScorer
from leadlift.terms import Family, FeatureSpec, Kind

ACTIVITY = Specs("activity", Family.ENGAGEMENT)
WINDOWS = (1.0, 7.0)
SPECS = (
    *ACTIVITY.windows("n", "", WINDOWS, unit="acts", wording="acts.count"),
    *ACTIVITY.windows("n_demo", "", WINDOWS, unit="acts", wording="type.count", about=("demo",)),
    ACTIVITY.days_since("days_since_demo", "", "type.last", ("demo",)),
    ACTIVITY.number("mean_gap_days", "", unit="days", wording="gap.mean"),
    FeatureSpec("minutes", Kind.NUMERIC, Family.ENGAGEMENT),
    FeatureSpec("days_since_reply", Kind.NUMERIC, Family.ENGAGEMENT),
    FeatureSpec("pages_before_form", Kind.NUMERIC, Family.ENGAGEMENT),
    FeatureSpec("size", Kind.NUMERIC, Family.FIT),
    FeatureSpec("opt_in", Kind.CATEGORICAL, Family.ENGAGEMENT),
)
NAMES = [spec.name for spec in SPECS]
PLACE = {name: j for j, name in enumerate(NAMES)}
ACTS = slice(0, 3)
DEMOS = slice(3, 6)


def make_leads(n=1200, seed=0):
    """Demos, minutes, opting in and an early reply win; counts agree across their windows."""
    rng = np.random.default_rng(seed)
    demos = np.sort(rng.poisson(0.7, (n, 3)), axis=1)
    acts = demos + np.sort(rng.poisson(2.0, (n, 3)), axis=1)
    columns = dict(zip(NAMES[ACTS], acts.T, strict=True)) | dict(zip(NAMES[DEMOS], demos.T, strict=True))
    since = np.where(demos[:, 2] > 0, rng.exponential(9.0, n), np.nan)
    minutes, reply = rng.exponential(6.0, n), rng.exponential(20.0, n)
    opt_in = rng.random(n) < 0.6
    log_odds = -2.5 + 0.9 * demos[:, 1] + 0.08 * minutes - 0.05 * reply + 1.2 * opt_in
    table = pa.table(
        columns
        | {
            "days_since_demo": pa.array(since, from_pandas=True),
            "mean_gap_days": rng.exponential(3.0, n),
            "minutes": pa.array(minutes, mask=rng.random(n) < 0.1),
            "days_since_reply": reply,
            "pages_before_form": rng.poisson(3.0, n).astype(float),
            "size": rng.lognormal(4.0, 1.0, n),
            "opt_in": np.where(opt_in, "yes", "no"),
        }
    )
    return table, rng.random(n) < 1 / (1 + np.exp(-log_odds))


def profile(column):
    """As a bundle's reference describes a column."""
    known = column.drop_null()
    if pa.types.is_string(column.type):
        return {"levels": dict.fromkeys(sorted(set(known.to_pylist())), 0.5)}
    return {"quantiles": np.quantile(known.to_numpy(), np.linspace(0, 1, 11)).tolist()}


@pytest.fixture(scope="module")
def leads():
    return make_leads()


@pytest.fixture(scope="module")
def scorer(leads):
    trees = BaggedTrees(max_rounds=30, learning_rate=0.1, n_jobs=1)
    return LeadScorer(learner=BlendedLearner(trees, n_folds=2)).fit(leads[0].select(NAMES), leads[1])


@pytest.fixture(scope="module")
def profiles(leads):
    return {name: profile(leads[0][name]) for name in NAMES}


@pytest.fixture(scope="module")
def lift(scorer, profiles):
    def run(table, **keywords):
        return lift_scores(scorer, table, specs=SPECS, profiles=profiles, **keywords)

    return run


@pytest.fixture(scope="module")
def some(leads):
    return leads[0].slice(0, 120)


def test_the_score_told_is_that_of_the_changed_lead(scorer, lift, some, profiles):
    """By another way: the lead is changed as a dict, encoded and scored anew."""
    found = lift(some, least_gain_points=0.5).to_pylist()
    assert len({change["column"] for change in found}) > 2
    times = {"not once": 0, "once": 1, "twice": 2}
    found = [change for change in found if change["column"] is not None]
    rows = []
    for change in found:
        lead = some.slice(change["row"], 1).to_pylist()[0]
        if change["column"] in {"n_demo_7d", "n_7d"}:
            now, then = (
                times.get(change[key]) or int(change[key].split()[0].replace("not", "0"))
                for key in ("value_now", "value_then")
            )
            raised = [*NAMES[ACTS], *NAMES[DEMOS]] if change["column"] == "n_demo_7d" else NAMES[ACTS]
            lead |= {name: lead[name] + then - now for name in raised}
            if change["column"] == "n_demo_7d":
                soonest = profiles["days_since_demo"]["quantiles"][0]
                lead["days_since_demo"] = min(lead["days_since_demo"] or np.inf, soonest)
        else:
            step, falls = change["n_steps"], change["column"] == "days_since_reply"
            ladder = sorted(set(profiles[change["column"]]["quantiles"][1:-1]), reverse=falls)
            further = [
                v for v in ladder if (v < lead[change["column"]] if falls else v > lead[change["column"]])
            ]
            lead[change["column"]] = further[step - 1]
        rows.append(lead)
        assert change["gain_points"] == pytest.approx(100 * (change["score_then"] - change["score_now"]))
    changed = pa.table({name: pa.array([lead[name] for lead in rows], some[name].type) for name in NAMES})
    told = [change["score_then"] for change in found]
    np.testing.assert_allclose(scorer.predict_proba(changed)[:, 1], told, atol=1e-12)


def test_only_what_can_still_change_is_proposed(lift, some):
    columns = set(lift(some, least_gain_points=0.1)["column"].to_pylist()) - {None}
    assert columns <= {"n_7d", "n_demo_7d", "minutes", "days_since_reply"}
    assert {"n_demo_7d", "minutes"} <= columns


@settings(law, max_examples=8)
@given(rows=st.lists(st.integers(0, 1199), min_size=1, max_size=20), least=st.floats(0.1, 20))
def test_every_change_gains_enough_and_is_of_its_lead_alone(lift, leads, rows, least):
    found = lift(leads[0].take(rows), least_gain_points=least)
    gains = found["gain_points"].drop_null().to_numpy()
    assert (gains >= least).all()
    alone = lift(leads[0].take(rows[:1]), least_gain_points=least)
    assert found.slice(0, 1).to_pylist() == alone.to_pylist()


def test_what_does_not_lift_says_so(lift, some):
    found = lift(some, least_gain_points=99.0)
    assert found.schema == LIFT_SCHEMA
    assert found["column"].null_count == found["score_then"].null_count == len(some)
    assert set(found["sentence"].to_pylist()) == {
        "No single change seen among leads goes with a score 99 points higher"
    }


def test_the_nearest_change_wins_over_the_one_that_gains_most(lift, some):
    found = lift(some, least_gain_points=0.5, most_steps=3).to_pylist()
    near = lift(some, least_gain_points=0.5, most_steps=1).to_pylist()
    for change, nearest in zip(found, near, strict=True):
        if nearest["column"] is not None:
            assert change == nearest
        elif change["column"] is not None:
            assert change["n_steps"] > 1


def test_it_is_told_as_what_goes_together_not_as_what_would_follow(lift, some):
    found = lift(some).to_pylist()
    told = next(change for change in found if change["column"] == "n_demo_7d")
    now, then = round(100 * told["score_now"]), round(100 * told["score_then"])
    like = f"that used a demo {told['value_then']} in the last 7 days"
    assert told["sentence"] == f"Leads like this one {like} score {then} instead of {now}"


def test_the_sentence_is_told_in_the_language_of_the_texts(lift, some):
    told = lift(some, texts=load_texts("de"))["sentence"].to_pylist()
    assert all(
        sentence.startswith(("Ähnliche Leads mit ", "Mit keiner einzelnen Änderung")) for sentence in told
    )


def test_a_level_can_be_changed_where_the_user_says_so(lift, some):
    found = lift(some, actionable=["opt_in"], least_gain_points=0.5).to_pylist()
    changed = [(change["value_now"], change["value_then"]) for change in found if change["column"]]
    assert changed
    assert set(changed) == {("no", "yes")}


def test_what_the_user_names_is_looked_at_though_its_family_is_another(lift, some):
    columns = set(
        lift(some, actionable=["size", "days_since_demo"], least_gain_points=0.1)["column"].to_pylist()
    )
    assert columns - {None} <= {"size", "n_demo_7d"}


@pytest.mark.parametrize(
    ("actionable", "message"),
    [
        (["demos"], r"actionable names 'demos', which are no inputs; expected some of 'n_1d', 'n_7d'"),
        (["mean_gap_days"], r"actionable names 'mean_gap_days', which tell of the past"),
    ],
)
def test_what_cannot_be_changed_is_refused(lift, some, actionable, message):
    with pytest.raises(ConfigError, match=message):
        lift(some, actionable=actionable)


def test_no_leads_no_changes(lift, some):
    assert lift(some.slice(0, 0)).num_rows == 0


def test_one_more_act_raises_all_its_windows_and_makes_the_last_one_fresh():
    specs = [SPECS[j] for j in range(7)]
    columns = [EncodedColumn(spec.name, Kind.NUMERIC) for spec in specs]
    counts = {spec.name: {"quantiles": [0.0] * 10 + [4.0]} for spec in specs}
    found = levers(specs, columns, counts | {"days_since_demo": {"quantiles": [0.25] + [5.0] * 10}})
    demo = next(lever for lever in found if specs[lever.column].name == "n_demo_7d")
    matrix = np.array([[1.0, 2.0, 3.0, 0.0, 1.0, 1.0, np.nan], [9.0, 9.0, 9.0, 4.0, 4.0, 4.0, 0.1]])
    value = demo.values_after(matrix[:, demo.column], 1, 0)
    assert value.tolist()[0] == 2.0
    assert np.isnan(value[1])  # nobody did it more than four times
    demo.apply(matrix[:1], value[:1])
    assert matrix[0].tolist() == [2.0, 3.0, 4.0, 1.0, 2.0, 2.0, 0.25]


def test_an_act_of_intent_is_counted_among_all_acts_of_intent():
    intent = Specs("qualification", Family.INTENT)
    specs = [
        spec
        for meaning in ("pricing", "any")
        for spec in intent.windows(
            f"intent_{meaning}", "", (30.0,), unit="acts", wording="meaning.count", about=(meaning,)
        )
    ]
    columns = [EncodedColumn(spec.name, Kind.NUMERIC) for spec in specs]
    counts = {spec.name: {"quantiles": [0.0, 1.0, 4.0]} for spec in specs}
    (pricing,) = levers(specs, columns, counts, ["intent_pricing_30d"])
    assert (pricing.column, pricing.raised) == (0, (1, 2, 3))


def test_acts_without_a_name_are_nobodys_to_bring_about():
    specs = ACTIVITY.windows("n_other", "", (7.0,), unit="acts", wording="type.count", about=("other",))
    columns = [EncodedColumn(spec.name, Kind.NUMERIC) for spec in specs]
    assert levers(specs, columns, {spec.name: {"quantiles": [0.0, 1.0, 2.0]} for spec in specs}) == []
