"""Exports are found, and errors say how to export a model."""

import pytest

from demos.artifacts import find


def write_export(folder):
    (folder / "export").mkdir(parents=True)
    (folder / "export" / "model.json").write_text("{}")
    return folder


def test_all_runs_under_the_directory_are_found(tmp_path):
    for name in ("vae", "autoencoder"):
        write_export(tmp_path / name)
    (tmp_path / "untrained").mkdir()
    assert [(each.name, each.folder) for each in find(runs=tmp_path)] == [
        ("autoencoder", tmp_path / "autoencoder" / "export"),
        ("vae", tmp_path / "vae" / "export"),
    ]


def test_a_run_or_its_export_folder_can_be_named(tmp_path):
    run = write_export(tmp_path / "vae")
    assert find([run]) == find([run / "export"]) == find([run, run / "export"])


def test_names_are_unique_and_valid_in_urls(tmp_path):
    paths = [write_export(tmp_path / name) for name in ("a/my run-1", "b/my_run 1", "c/\N{GREEK SMALL LETTER ALPHA}")]
    assert [each.name for each in find(paths)] == ["my_run_1", "my_run_1_2", "model"]


def test_without_exports_the_error_explains_how_to_export(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"(?s)Expected an exported run under.*keras-gen train.*keras-gen export"
    ):
        find(runs=tmp_path)


def test_error_for_a_run_without_export_has_the_command(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(FileNotFoundError, match=f"keras-gen export {tmp_path}"):
        find([tmp_path])


def test_a_path_that_is_not_a_run_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="Expected a folder with export/model.json or model.json"):
        find([tmp_path])
    with pytest.raises(FileNotFoundError, match="does not exist"):
        find([tmp_path / "nowhere"])
