import numpy as np
import pytest

from keras_gen.data.sources.metadata import find_metadata, read_columns, read_rows


def write(folder, name, text):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def columns_of(file):
    rows = read_rows(file)
    return read_columns(file, rows, rows)


def test_csv_with_caption_label_and_attributes(tmp_path):
    file = write(
        tmp_path,
        "metadata.csv",
        'file_name,caption,label,smiling,age,artist\na.png,"a, b",dog,true,0.5,Kim\nb.png,ä,cat,false,-1,Lee\n',
    )
    columns, names, left_out = columns_of(file)
    assert columns["caption"].tolist() == [b"a, b", "ä".encode()]
    assert columns["label"].tolist() == [1, 0] and names["label"] == ("cat", "dog")
    assert columns["label"].dtype == np.int32
    np.testing.assert_array_equal(columns["attributes"], np.float32([[1, 0.5], [0, -1]]))
    assert names["attributes"] == ("smiling", "age") and columns["artist"].tolist() == [b"Kim", b"Lee"]
    assert left_out == ()


def test_jsonl_with_lists(tmp_path):
    file = write(
        tmp_path,
        "metadata.jsonl",
        '{"file_name": "a.png", "text": ["one", "two"], "label": 7, "attributes": [1, 0], "tags": ["x"]}\n\n'
        '{"file_name": "b.png", "text": "three", "label": 3, "attributes": [0, 1], "tags": []}\n',
    )
    columns, names, left_out = columns_of(file)
    assert columns["caption"].tolist() == [b"one", b"three"]
    assert columns["label"].tolist() == [7, 3] and "label" not in names
    np.testing.assert_array_equal(columns["attributes"], [[1, 0], [0, 1]])
    assert left_out == ("tags",)


def test_label_names_come_from_all_splits(tmp_path):
    rows = [{"file_name": "a", "label": "dog"}]
    columns, names, _ = read_columns(tmp_path, rows, [*rows, {"file_name": "b", "label": "cat"}])
    assert columns["label"].tolist() == [1] and names["label"] == ("cat", "dog")


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("metadata.csv", "file,label\na.png,1\n", "a `file_name` in row 1; received the columns file, label"),
        (
            "metadata.csv",
            "file_name,label\na.png,1\nb.png\n",
            "as in the header .file_name, label. in row 2",
        ),
        ("metadata.csv", "file_name,label\na.png,1,2\n", "as many entries .* in row 1"),
        ("metadata.csv", "file_name\n", "received no rows"),
        ("metadata.csv", "file_name,label\na.png,1\nb.png,\n", "1 of 2 rows have no 'label', the first is 'b.png'"),
        ("metadata.jsonl", '{"file_name": "a.png"}\n{"file_name": ', "cannot be read"),
        ("metadata.jsonl", "[1]\n", "line 1 is not a JSON object"),
        (
            "metadata.jsonl",
            '{"file_name": "a", "label": 1}\n{"file_name": "b", "label": 0.5}\n',
            "or all names; received float",
        ),
        (
            "metadata.jsonl",
            '{"file_name": "a", "attributes": [1]}\n{"file_name": "b", "attributes": [1, 2]}\n',
            r"lists of numbers of one length; received lengths \[1, 2\]",
        ),
        ("metadata.jsonl", '{"file_name": "a", "caption": 3}\n', "a caption as a text or a list of texts; received 3"),
        ("metadata.csv", 'file_name,caption\na,"1\n2"\nb,x\0\n', "metadata.csv cannot be read: line 4 has a NUL"),
        ("metadata.csv", "file_name,caption\na," + "x" * 200_000 + "\n", "line 2: field larger than field limit"),
        ("metadata.csv", "file_name\na\n" + "b" * (1 << 20) + "\n", "line 3 has more than 1,048,576 characters"),
        ("metadata.jsonl", '{"file_name": "a"}\n{"file_name"}\n', "line 2 is not valid JSON"),
        ("metadata.jsonl", '{"file_name": "\\ud800"}\n', "line 1 has half of a surrogate pair"),
        ("metadata.csv", "file_name,label\na,3000000000\n", "labels as integers of 32 bits; received '3000000000'"),
    ],
)
def test_invalid_metadata(tmp_path, name, text, message):
    with pytest.raises(ValueError, match=message):
        columns_of(write(tmp_path, name, text))


def test_two_metadata_files(tmp_path):
    assert find_metadata(tmp_path) is None
    file = write(tmp_path, "metadata.csv", "file_name\na\n")
    assert find_metadata(tmp_path) == file
    write(tmp_path, "metadata.jsonl", "{}\n")
    with pytest.raises(ValueError, match="keep one of them"):
        find_metadata(tmp_path)


def test_errors_name_the_line_that_is_not_utf8(tmp_path):
    (tmp_path / "metadata.csv").write_bytes("\ufefffile_name,caption\na,é\n".encode() + b"b,\xe9\n")
    with pytest.raises(ValueError, match="metadata.csv cannot be read: line 3 is not UTF-8"):
        read_rows(tmp_path / "metadata.csv")


def test_byte_order_marks_and_line_endings_are_removed(tmp_path):
    (tmp_path / "metadata.csv").write_bytes("\ufefffile_name,caption\r\na,é\r\n".encode())
    assert read_rows(tmp_path / "metadata.csv") == [{"file_name": "a", "caption": "é"}]


def test_numbers_of_hundreds_of_digits_are_not_attributes(tmp_path):
    file = write(tmp_path, "metadata.jsonl", '{"file_name": "a", "n": 1' + "0" * 400 + "}\n")
    assert read_columns(file, read_rows(file), read_rows(file))[2] == ("n",)
