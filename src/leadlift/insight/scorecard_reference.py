"""The reference scorer of a card's rules: plain Python without any package, to copy or to check against."""

import math


def points(card, lead):
    """Add up the points of a lead.

    Parameters
    ----------
    card : dict
        From the JSON file that :func:`leadlift.write_scorecard` writes.
    lead : mapping of str to number, text, bool or None
        Value by attribute; one that is not there is missing.

    Returns
    -------
    int

    Examples
    --------
    >>> rule = {"attribute": "visits", "operator": "between", "values": [3, None], "points": 12}
    >>> points({"rules": [rule]}, {"visits": 4})
    12
    """
    return sum(rule["points"] for rule in card["rules"] if fits(rule, lead.get(rule["attribute"])))


def fits(rule, value):
    """Say whether a rule fits a value."""
    operator, values = rule["operator"], rule["values"]
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return operator == "is_missing"
    if operator == "between":
        low, high = values
        return (low is None or float(value) >= low) and (high is None or float(value) < high)
    if operator == "in":
        return str(value) in values
    return operator == "not_in" and str(value) not in values
