"""The notebooks run from top to bottom, and are stored with outputs that show no trace of a machine."""

from pathlib import Path

import nbformat
import pytest

from run_notebook import execute

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


@pytest.mark.slow
# The kernel warns about the interrupted loop of asyncio's own selector policy; nothing of ours is in it.
@pytest.mark.filterwarnings("ignore::DeprecationWarning:jupyter_client")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs(path):
    executed = execute(path)
    assert all(cell.get("execution_count") for cell in executed.cells if cell.cell_type == "code")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_is_stored_with_its_outputs_and_without_warnings(path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    outputs = [output for cell in cells for output in cell.outputs]
    assert outputs
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert not [output for output in outputs if output.output_type == "error"]
