"""Sentiment: means by eye with an analyser of known scores, English by VADER, other languages not at all."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

import leadlift as ll


class Length:
    """Says -1 of a text of two characters and 1 of longer ones, and remembers what it was asked."""

    def score(self, texts):
        self.asked = list(texts)
        return np.array([-1.0 if len(text) <= 2 else 1.0 for text in texts])


def test_means_and_shares_are_those_counted_by_eye():
    texts = [None, " "] + ["no"] * 30 + ["nice"] * 10
    region = ["a"] * 22 + ["b"] * 20
    table = ll.sentiment_by(texts, segments=pa.table({"region": region}), analyser=Length(), least_leads=5)
    whole, a, b = table.to_pylist()
    assert (whole["n"], whole["mean"], whole["share_negative"]) == (40, -0.5, 0.75)
    assert (a["n"], a["mean"], b["n"], b["mean"]) == (20, -1.0, 20, 0.0)
    assert (a["difference"], b["difference"]) == (-1.0, 1.0)


def test_intervals_and_tests_are_those_of_student_and_welch():
    rng = np.random.default_rng(0)
    negative, region = rng.random(200) < 0.4, np.repeat(["a", "b"], [80, 120])
    texts = np.where(negative, "no", "nice")
    score = np.where(negative, -1.0, 1.0)
    table = ll.sentiment_by(texts, segments=pa.table({"region": region}), analyser=Length())
    whole = table.to_pylist()[0]
    expected = stats.ttest_1samp(score, 0).confidence_interval()
    assert (whole["low"], whole["high"]) == pytest.approx((expected.low, expected.high))
    p = stats.ttest_ind(score[:80], score[80:], equal_var=False).pvalue
    # Two looks at the same difference: corrected, the p-value stays as it is.
    assert table["q_value"].to_pylist()[1:] == pytest.approx([p, p])


def test_english_is_scored_by_vader_and_distinct_texts_once():
    texts = ["Great call, thank you!"] * 40 + ["Terrible support, we hate it."] * 40
    table = ll.sentiment_by(texts, segments=pa.table({"region": ["a"] * 40 + ["b"] * 40}))
    whole, a, b = table.to_pylist()
    assert (a["share_negative"], b["share_negative"]) == (0.0, 1.0)
    assert (whole["share_negative"], a["differs"], b["differs"]) == (0.5, True, True)
    analyser = Length()
    ll.sentiment_by(texts, analyser=analyser)
    assert len(analyser.asked) == 2


def test_an_analyser_never_sees_personal_data():
    analyser = Length()
    ll.sentiment_by(["ask ann@example.com", "call 0171 1234567"], analyser=analyser)
    assert analyser.asked == ["ask [e-mail]", "call [phone]"]


def test_other_languages_are_not_scored_without_an_analyser():
    texts = ["Sehr schlechter Support."] * 40
    whole = ll.sentiment_by(texts, language="de").to_pylist()[0]
    assert (whole["n"], whole["mean"], whole["share_negative"]) == (0, None, None)
    assert ll.sentiment_by(texts, language="de", analyser=Length()).to_pylist()[0]["n"] == 40


def test_sentiment_is_split_into_periods_named_by_their_first_day():
    closed_at = pa.array([date(2024, 1, 10), date(2024, 3, 1), date(2024, 3, 5), None])
    table = ll.sentiment_by(["no"] * 4, closed_at=closed_at, period_days=30, analyser=Length())
    rows = [(row["segment"], row["n"]) for row in table.to_pylist()[1:]]
    assert rows == [("from 2024-01-05", 1), ("from 2024-02-04", 2), ("no date", 1)]


def test_segments_alike_are_rarely_told_apart():
    claims = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        segments = pa.table({"region": rng.choice(list("abcdef"), 600)})
        texts = np.where(rng.random(600) < 0.3, "no", "nice")
        claims += any(ll.sentiment_by(texts, segments=segments, analyser=Length())["differs"].to_pylist())
    # At most 5 % of the runs; 6 or more of 40 has a probability below 0.02 at that rate.
    assert claims <= 5


def test_a_segment_of_three_is_too_few_and_not_compared():
    texts, region = ["nice"] * 100 + ["no"] * 3, ["a"] * 100 + ["b"] * 3
    b = ll.sentiment_by(texts, segments=pa.table({"region": region}), analyser=Length()).to_pylist()[-1]
    assert (b["too_few"], b["differs"], b["q_value"]) == (True, False, None)


@pytest.mark.parametrize("texts", [[None] * 5, [""] * 5])
def test_no_text_at_all_has_no_sentiment(texts):
    assert ll.sentiment_by(texts).to_pylist()[0]["mean"] is None


@pytest.mark.parametrize("scores", [[0.5], [0.5, 2.0], [0.5, float("nan")]])
def test_an_analyser_that_breaks_its_promise_is_refused(scores):
    class Broken:
        def score(self, texts):
            return np.array(scores)

    with pytest.raises(ll.InputError, match=r"a number in \[-1, 1\] for each of 2 texts"):
        ll.sentiment_by(["a", "b"], analyser=Broken())


def test_hostile_texts_are_scored():
    texts = ["\x00\x1b[31m<script>", "\U0001f600" * 100, "a" * 100_000, "!" * 1000]
    assert ll.sentiment_by(texts).to_pylist()[0]["n"] == 4
