"""What the file holds: ops by name, shared weights once, buffers aligned."""

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from keras_gen.export.flatbuffer import BUFFER_ALIGNMENT, deduplicate, operations
from keras_gen.runtime.model_file import open_interpreter


def read(file):
    content = file.read_bytes()
    return content, schema.Model.GetRootAs(content, 0)


def test_operations_by_signature(folder):
    found = operations((folder / "model_float32.tflite").read_bytes())
    assert list(found) == ["decode", "encode", "generate", "reconstruct"]
    # 16x16 halves twice, so two convolutions each way; the encoder and the decoder have two dense layers each
    assert (found["encode"]["CONV_2D"], found["encode"]["FULLY_CONNECTED"]) == (2, 2)
    assert (found["decode"]["TRANSPOSE_CONV"], found["decode"]["FULLY_CONNECTED"]) == (2, 2)
    assert found["reconstruct"]["FULLY_CONNECTED"] == 4


def test_shared_weights_are_stored_once(folder, model):
    """Three endpoints hold the decoder; the float32 buffers are the weights, once."""
    _, found = read(folder / "model_float32.tflite")
    sizes = sum(found.Buffers(index).DataLength() for index in range(found.BuffersLength()))
    weights = 4 * (model.encoder.count_params() + model.decoder.count_params())
    assert weights <= sizes <= 1.02 * weights  # the rest: shapes of reshapes, the converter's metadata


def test_scales_are_stored_once(folder):
    """The vector of a layer's weight scales lies at one place in the file for all endpoints that use the layer."""
    _, found = read(folder / "model.tflite")
    places = {}
    for graph in (found.Subgraphs(index) for index in range(found.SubgraphsLength())):
        for tensor in (graph.Tensors(index) for index in range(graph.TensorsLength())):
            quantization = tensor.Quantization()
            if quantization is not None and quantization.ScaleLength() > 4:
                values = quantization.ScaleAsNumpy()
                places.setdefault(values.tobytes(), []).append(values.__array_interface__["data"][0])
    repeated = [set(found) for found in places.values() if len(found) > 1]
    assert len(repeated) >= 4 and all(len(place) == 1 for place in repeated)


def test_buffers_are_aligned(folder):
    for name in ("model.tflite", "model_float32.tflite"):
        content, found = read(folder / name)
        start = np.frombuffer(content, np.uint8).__array_interface__["data"][0]
        buffers = [found.Buffers(index).DataAsNumpy() for index in range(found.BuffersLength())]
        offsets = [b.__array_interface__["data"][0] - start for b in buffers if isinstance(b, np.ndarray) and b.size]
        assert len(offsets) > 8 and not any(offset % BUFFER_ALIGNMENT for offset in offsets)


def test_writing_again_changes_no_result(folder, tmp_path):
    content = (folder / "model.tflite").read_bytes()
    again = deduplicate(content)
    assert operations(again) == operations(content) and len(again) <= len(content)
    (tmp_path / "again.tflite").write_bytes(again)
    inputs = {"z": np.full((1, 4), 0.3, np.float32), "label": np.eye(3, dtype=np.float32)[:1]}
    images = [
        open_interpreter(file).get_signature_runner("decode")(**inputs)["image"]
        for file in (folder / "model.tflite", tmp_path / "again.tflite")
    ]
    np.testing.assert_array_equal(*images)
