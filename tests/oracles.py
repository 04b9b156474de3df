"""Second implementations, naive on purpose: loops and counting, nothing shared with the package."""

import math


def auc_by_pairs(y, score):
    """Share of (won, lost) pairs in which the won lead scores higher; ties count half."""
    won = [s for s, label in zip(score, y, strict=True) if label]
    lost = [s for s, label in zip(score, y, strict=True) if not label]
    points = sum(1.0 if w > lo else 0.5 if w == lo else 0.0 for w in won for lo in lost)
    return points / (len(won) * len(lost))


def log_loss_by_loop(y, score):
    """Mean of minus the log of the probability given to what happened."""
    return -sum(math.log(p if label else 1 - p) for p, label in zip(score, y, strict=True)) / len(y)


def count_passing(score, won, threshold, log_odds=None, tie_break=None):
    """Return how many pass, how many of those are won, and how many score exactly the threshold."""
    n_passed = n_won = n_tied = 0
    for place, value in enumerate(score):
        tied = value == threshold
        n_tied += tied
        passed = value > threshold or (tied and (tie_break is None or log_odds[place] >= tie_break))
        n_passed += passed
        n_won += passed and bool(won[place])
    return n_passed, n_won, n_tied


def binomial_tail(k, n, share):
    """P(Bin(n, share) >= k), summed term by term."""
    return sum(math.comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(k, n + 1))


def mean_wins_of_the_best(y, score, n):
    """Expected wins among the `n` best when leads of equal score stand in random order."""
    wins, room = 0.0, n
    for value in sorted(set(score), reverse=True):
        tied = [label for s, label in zip(score, y, strict=True) if s == value]
        taken = min(room, len(tied))
        wins += taken * sum(tied) / len(tied)
        room -= taken
    return wins


def levels_by_counting(values, min_support):
    """Levels seen often enough, most common first, equals in alphabetical order."""
    counts = {}
    for value in values:
        if value is not None:
            counts[value] = counts.get(value, 0) + 1
    common = [level for level, count in counts.items() if count >= min_support]
    return tuple(sorted(common, key=lambda level: (-counts[level], level)))


def code_by_lookup(value, levels):
    """Place of a level; the number of levels for one not among them; NaN for a missing value."""
    if value is None:
        return math.nan
    return float(levels.index(value)) if value in levels else float(len(levels))
