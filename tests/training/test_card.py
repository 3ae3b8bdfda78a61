import json

from keras_gen.runs import Run
from keras_gen.training import write_card


def test_card_reflects_the_files_of_the_run(tmp_path):
    config = {
        "system": "vae", "image_shape": [8, 8, 1], "settings": {"beta": 1.0, "num_classes": 3},
        "data": {"source": "digits", "splits": {"train": "train[:-5]", "test": None}, "binarize": "dynamic"},
        "training": {"epochs": 2, "patience": None}, "versions": {"keras-gen": "9.9"},
    }  # fmt: skip
    run = Run.create(tmp_path / "run", config)
    bare = write_card(run).read_text()
    assert bare.startswith("# Variational Autoencoder on digits\n") and "trained with keras_gen 9.9" in bare
    assert "- train: `train[:-5]`" in bare and "test:" not in bare and "| setting `beta` | 1.0 |" in bare
    assert "patience" not in bare and "![" not in bare and "Not evaluated yet" in bare and "## Export" not in bare
    assert "generate(16, seed=1, label=0)" in bare and "license of the data is not recorded" in bare

    run.metrics_file.write_text("epoch,loss\n1,20\n2,10.5\n")
    run.samples.mkdir()
    for epoch in (1, 2):
        (run.samples / f"epoch_000{epoch}.png").touch()
    metrics, about = {"elbo": -10.25, "nll": None}, {"elbo": {"unit": "nats per image"}, "nll": {"reason": "gray"}}
    headline = {"metric": "fd_small_v1_1000_test", "value": 3.1416, "floor": 0.25, "better": "lower"}
    run.evaluation_file.write_text(json.dumps({"metrics": metrics, "about": about, "headline": headline}))
    run.export_folder.mkdir()
    endpoints = {"encode": {"z": {"max": 0.5, "mean": 0.1}}, "decode": {"image": {"max": 0.02, "mean": 0.001}}}
    parity = {"files": {"int8": {"bytes": 12345, "endpoints": endpoints}}}
    (run.export_folder / "parity.json").write_text(json.dumps(parity))
    full = write_card(run).read_text()
    assert "![Samples after 2 epochs](samples/epoch_0002.png)" in full and "| loss | 20 | 10.5 |" in full
    assert "**Score: 3.142** (`fd_small_v1_1000_test`; lower is better, and real images have 0.25)" in full
    assert "| elbo | -10.25 | nats per image |" in full and "| nll" not in full
    assert "| int8 | 12 | decode | 0.02 | 0.001 |" in full and "| encode |" not in full


def test_card_of_a_custom_model(tmp_path):
    data = {"source": "d", "splits": {"train": "train"}}
    config = {"system": "MyVAE", "image_shape": [8, 8, 3], "settings": {}, "data": data, "training": {"epochs": 1}}
    assert write_card(Run.create(tmp_path / "run", config)).read_text().startswith("# MyVAE on d\n")
