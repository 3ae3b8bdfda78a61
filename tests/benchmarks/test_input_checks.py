"""The benchmark of input checks on small models."""

import numpy as np
import tensorflow as tf

from benchmarks import input_checks


def test_measures_a_toy():
    row = input_checks.measure(
        "vae", 2, {"network": "mlp", "hidden_units": 4, "latent_size": 2}, shape=(4, 4, 1), batch_size=2, steps=1
    )
    assert row["step_seconds"] > 0 and set(row["check_alone_ms"]) == set(input_checks.FORMS)
    for name in ("checked", "unchecked_again"):
        ratio = row[f"{name}_cpu_seconds_ratio"]
        assert ratio["quartiles"][0] <= ratio["median"] <= ratio["quartiles"][1]
    input_checks.show({"rows": [row], "targets": {"t": True}})


def test_summary_has_medians_over_rounds():
    rows = {"checked": (2, 4, 3), "unchecked": (2, 2, 2), "unchecked again": (2, 1, 2)}
    rows = {name: [{"seconds": s, "cpu_seconds": 2 * s} for s in values] for name, values in rows.items()}
    result = input_checks.summarize(rows, {"smallest and largest": 20.0})
    assert result["checked_seconds_ratio"]["median"] == 1.5 and result["step_cpu_seconds"] == 4
    assert result["unchecked_again_seconds_ratio"]["median"] == 1.0 and result["check_share_of_step"] == 0.01


def test_all_forms_agree():
    for value, inside in ((0.5, True), (1.0005, True), (1.01, False), (-0.01, False), (np.nan, False)):
        x = np.full((2, 3, 3, 1), 0.5, np.float32)
        x[1, 2, 1, 0] = value
        for name, form in input_checks.FORMS.items():
            if name != "smallest and largest":
                assert bool(form(tf.constant(x))) is inside, (name, value)
            else:
                try:
                    form(tf.constant(x))
                    assert inside, value
                except ValueError:
                    assert not inside, value
