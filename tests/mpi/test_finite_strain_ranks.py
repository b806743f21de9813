"""Large strains on one and two ranks: every number of the history must agree."""

from __future__ import annotations

import pytest
from rank_runs import CASE, GUARDS, LARGEST_DIFFERENCE, SECTION, history_differences, history_on

FINITE = "mechanics: {strain: finite}\n"


@pytest.mark.mpi
@pytest.mark.slow
@pytest.mark.parametrize("text", [CASE, SECTION], ids=["particle", "section"])
def test_history_at_large_strains_does_not_depend_on_the_number_of_ranks(tmp_path, text):
    alone, together = (history_on(tmp_path, ranks, text + FINITE) for ranks in (1, 2))
    for guard in GUARDS:
        assert together.filter(regex=f"^{guard}").to_numpy().max() < 1e-6
    for column, difference in history_differences(alone, together).items():
        assert difference <= LARGEST_DIFFERENCE, column
