"""Profile, change log, BANT, source and free text a second time; see :mod:`feature_oracle`."""

import math
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from datetime import timedelta
from fractions import Fraction
from itertools import accumulate, pairwise

from leadlift.features.bant import bant_columns

DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
PRIOR, MIN_LEADS = 20, 5


class StateOracle:
    """Columns of the leads and fields of the change log as they were at a moment.

    `leads` are rows by lead id; `columns` the inputs among their columns, free text left out.
    """

    def __init__(self, leads, history, columns, observations, fitted):
        self.leads, self.columns = leads, {spec.name: spec.kind.value for spec in columns}
        self.has_old_values = any(change["old_value"] is not None for change in history)
        self.log = defaultdict(list)
        for change in {tuple(change.values()): change for change in history}.values():
            self.log[change["lead_id"], change["field"]].append(change)
        for changes in self.log.values():
            changes.sort(key=_order)
        self.all_fields = {change["field"] for change in history}
        self._learn(observations, fitted)

    def _learn(self, observations, fitted):
        last = {}
        for (lead, as_of), is_fitted in zip(observations, fitted, strict=True):
            if is_fitted:
                last[lead] = max(as_of, last.get(lead, as_of))
        values = defaultdict(set)
        for lead, as_of in last.items():
            for field in self.all_fields:
                known = (change["value"] for change in self._known(lead, field, as_of))
                values[field].update(value for value in known if value is not None)
        self.fields = sorted(field for field, found in values.items() if found)
        self.logged = {
            field: "numeric" if all(map(_is_number, values[field])) else "categorical"
            for field in self.fields
            if field not in self.columns
        }
        self.bant = bant_columns([*self.columns, *self.fields])

    def _known(self, lead, field, as_of):
        return [change for change in self.log.get((lead, field), []) if change["changed_at"] < as_of]

    def value(self, lead, field, as_of):
        """The value of a column of the leads or of a field, as text or as the table has it."""
        known = self._known(lead, field, as_of)
        if known:
            return known[-1]["value"]
        if field not in self.columns:
            return None
        if field in self.all_fields:
            if not self.has_old_values:
                return None
            if (lead, field) in self.log:
                return self.log[lead, field][0]["old_value"]
        return self.leads[lead][field]

    def features(self, lead, as_of):
        """All features of the profile by name."""
        cells = {}
        kinds = {**self.columns, **self.logged}
        for name, kind in kinds.items():
            value = self.value(lead, name, as_of)
            if kind == "numeric":
                cells[name] = None if value is None else float(value)
            else:
                cells[name] = "unknown" if value is None and name in self.bant else value
        for field in self.fields:
            known = self._known(lead, field, as_of)
            age = as_of - known[-1]["changed_at"] if known else None
            cells[f"n_changes_{field}"] = len(known)
            cells[f"days_in_{field}"] = None if age is None else (age // MICROSECOND) / (DAY // MICROSECOND)
        cells["n_bant_known"] = len(
            {self.bant[name] for name in self.bant if self._answers(lead, name, as_of)}
        )
        return cells

    def _answers(self, lead, name, as_of):
        value = self.value(lead, name, as_of)
        return value is not None and str(value).casefold() != "unknown"


def _order(change):
    texts = (change["value"], change["old_value"])
    return (change["changed_at"], *[(text is not None, text or "") for text in texts])


def _is_number(text):
    return re.fullmatch(r"[-+]?\d+(\.\d+)?", text) is not None


class SourceOracle:
    """Lift of a level of a column, from the first fitted observation of each lead whose label was known
    on an earlier day (UTC); `rows` are fitted observations beside their leads.
    """

    def __init__(self, rows, column):
        first = {}
        for row in rows:
            earlier = first.get(row["lead_id"])
            if earlier is None or row["as_of"] < earlier["as_of"]:
                first[row["lead_id"]] = row
        counts = Counter(row[column] for row in first.values())
        self.levels = {name for name, n in counts.items() if name is not None and n >= MIN_LEADS}
        found = defaultdict(list)
        for row in first.values():
            for key in ("all leads", self._key(row[column])):
                found[key].append((row["label_known_at"].date(), row["converted"]))
        self.days = {key: sorted(day for day, _ in labels) for key, labels in found.items()}
        self.wins = {key: [0, *accumulate(won for _, won in sorted(labels))] for key, labels in found.items()}

    def _key(self, level):
        return None if level is None else ("level", level if level in self.levels else "rare")

    def lift(self, level, as_of):
        """The smoothed share won over that of all leads, as known at a moment; exact, then rounded."""
        n_all, won_all = self._count("all leads", as_of)
        n, won = self._count(self._key(level), as_of)
        if not won_all:
            return None
        overall = Fraction(won_all, n_all)
        return float((won + PRIOR * overall) / (n + PRIOR) / overall)

    def _count(self, key, as_of):
        n = bisect_left(self.days.get(key, []), as_of.date())
        return n, self.wins[key][n] if n else 0


def text_features(text, column, topics):
    """Words and topics of a text, with the terms, weights and loadings that were learnt (as JSON)."""
    n_topics = len(topics["loadings"])
    names = [f"{column}_words", *[f"{column}_topic_{i + 1}" for i in range(n_topics)]]
    if text is None or not text.strip():
        return dict.fromkeys(names)
    counts = Counter(_terms(text))
    weights = {
        i: (1 + math.log(counts[term])) * idf
        for i, (term, idf) in enumerate(zip(topics["terms"], topics["idf"], strict=True))
        if counts[term]
    }
    length = math.sqrt(sum(weight**2 for weight in weights.values())) or 1.0
    values = [
        sum(weight / length * loadings[i] for i, weight in weights.items()) for loadings in topics["loadings"]
    ]
    return dict(zip(names, [len(text.split()), *values], strict=True))


def _terms(text):
    """Words of letters, and pairs of words that follow each other, addresses left out."""
    kept = [w for w in text.lower().split() if not ("@" in w or "://" in w or w.startswith("www."))]
    words = [word for word in re.findall(r"\w+", " ".join(kept)) if len(word) > 1 and word.isalpha()]
    return [*words, *[" ".join(pair) for pair in pairwise(words)]]
