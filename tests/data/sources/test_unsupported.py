import pytest

from keras_gen import data


@pytest.mark.parametrize(
    "name, message",
    [
        ("a.h5", "an HDF5 file, .*h5py.File"),
        ("a.HDF5", "an HDF5 file"),
        ("a.mat", "a MATLAB file, .*scipy.io.loadmat"),
        ("a.parquet", "a Parquet file, .*pandas.read_parquet"),
        ("a.csv", "a table, .*metadata.csv"),
        ("a.tar", "an archive, .*tar -xf"),
        ("a.tar.gz", "an archive, .*tar -xf"),
        ("a.zip", "an archive, .*python -m zipfile -e"),
        ("a.tfrecord", "a TFRecord file, .*--data-dir"),
        ("a.pt", "a PyTorch file, .*torch.load"),
        ("a.pkl", "a pickle, .*If you trust it"),
    ],
)
def test_files_of_other_libraries_get_a_hint(tmp_path, name, message):
    with pytest.raises(
        ValueError, match=f"source='.*{name}': there is no such file, and {message.split(', ')[0]} is not"
    ):
        data.describe(str(tmp_path / name))
    (tmp_path / name).write_bytes(b"x")
    for read in (data.describe, lambda source: data.load(source, image_shape=(8, 8, 1), batch_size=1)):
        with pytest.raises(ValueError, match=f"source='.*{name}': it is {message}"):
            read(tmp_path / name)


@pytest.mark.parametrize(
    "name, message",
    [
        ("https://example.org/photos.zip", "it is an address, .*Download it yourself"),
        ("s3://bucket/photos", "it is an address"),
        ("huggan/flowers-102", r"no TFDS dataset. .*datasets.load_dataset\('huggan/flowers-102'\)"),
        ("https://huggingface.co/datasets/huggan/flowers", r"load_dataset\('huggan/flowers'\)"),
        ("hf://datasets/huggan/flowers", r"load_dataset\('huggan/flowers'\)"),
    ],
)
def test_names_elsewhere_get_a_hint(name, message):
    with pytest.raises(ValueError, match=message):
        data.describe(name)


def test_a_folder_may_have_such_a_name(tmp_path):
    from PIL import Image

    (tmp_path / "photos.zip").mkdir()
    Image.new("L", (4, 4)).save(tmp_path / "photos.zip" / "a.png")
    assert data.describe(tmp_path / "photos.zip").splits == {"train": 1}
