"""What may be concluded once every planned outcome is allowed for."""

import pandas as pd

from evalkit.counterfactual.rows import conclude_jointly


def test_a_difference_that_does_not_hold_over_all_outcomes_is_no_clear_difference():
    table = pd.DataFrame(
        {
            "conclusion": ["better", "worse", "better", "no clear difference", "not known"],
            "p_adjusted": [0.004, 0.03, 0.073, 0.8, None],
        }
    )
    assert list(conclude_jointly(table, 0.95)) == [
        *("better", "worse", "no clear difference", "no clear difference", "not known")
    ]


def test_a_wider_interval_asks_for_a_smaller_p():
    table = pd.DataFrame({"conclusion": ["better"], "p_adjusted": [0.03]})
    assert list(conclude_jointly(table, 0.99)) == ["no clear difference"]
