"""A backtest as rows of text, one a block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadlift.lifecycle.backtest import BacktestResult

COLUMNS = [
    "from",
    "leads",
    "won",
    "AUC [95 %]",
    "log loss",
    "calibr. error",
    "promised",
    "came [95 %]",
    "promise",
    "qualified",
]


def backtest_title(result: BacktestResult) -> str:
    """Say what was played, and how it went over all blocks."""
    pooled = result.pooled.to_pylist()[0]
    promises = ""
    if pooled["n_promises"]:
        promises = (
            f"; of {pooled['n_promises']} promises {pooled['n_kept']} kept, {pooled['n_void']} called void "
            f"beforehand, {pooled['n_kept_or_void']} one or the other"
        )
    return (
        f"Backtest before the test set ({result.update} from block to block). All blocks together: "
        f"AUC {pooled['auc']:.3f} [{pooled['auc_low']:.3f}, {pooled['auc_high']:.3f}], "
        f"log loss {pooled['log_loss']:.4f} (base rate {pooled['log_loss_of_base_rate']:.4f}){promises}"
    )


def backtest_rows(result: BacktestResult) -> list[list[str]]:
    """Return the cells of each block, in the order of ``COLUMNS``."""
    return [_cells(block) for block in result.blocks.to_pylist()]


def _cells(block: dict[str, Any]) -> list[str]:
    auc = ""
    if block["auc"] is not None:
        auc = f"{block['auc']:.2f} [{block['auc_low']:.2f}, {block['auc_high']:.2f}]"
    came = ""
    if block["precision"] is not None:
        low, high = block["precision_low"], block["precision_high"]
        came = f"{block['precision']:.0%} [{low:.0%}, {high:.0%}]"
    return [
        _moment(block["begin"]),
        f"{block['n']:,}",
        f"{block['base_rate']:.1%}",
        auc,
        f"{block['log_loss']:.4f}",
        f"{block['calibration_error']:.3f}",
        "" if block["promised_precision"] is None else f"{block['promised_precision']:.0%}",
        came,
        _promise(block),
        _volume(block),
    ]


def _moment(moment: Any) -> str:
    return f"{moment:%Y-%m-%d}" if hasattr(moment, "year") else f"row {moment:,}"


def _promise(block: dict[str, Any]) -> str:
    """Say what became of the promise; a void one was called so before any outcome of the block was known."""
    if block["threshold"] is None:
        return "no honest cut-off"
    if block["is_kept"] is None:
        return "nobody qualified" if block["n_qualified"] == 0 else ""
    kept = "kept" if block["is_kept"] else "broken"
    return f"void ({kept})" if block["is_void"] else kept


def _volume(block: dict[str, Any]) -> str:
    if block["n_qualified"] is None:
        return ""
    if block["per_week"] is None:
        return f"{block['n_qualified']:,}"
    return f"{block['per_week']:.0f} a week"
