"""Contents of a TFLite file: operations by signature, shared weights stored once, aligned buffers."""

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from keras_gen.export.flatbuffer import BUFFER_ALIGNMENT, deduplicate, operations
from keras_gen.runtime.model_file import open_interpreter


def read(file):
    content = file.read_bytes()
    return content, schema.Model.GetRootAs(content, 0)


def test_operations_by_signature(folder):
    by_signature = operations((folder / "model_float32.tflite").read_bytes())
    assert list(by_signature) == ["decode", "encode", "generate", "reconstruct"]
    # 16x16 is halved twice, so encoder and decoder have two convolutions and two dense layers each
    assert (by_signature["encode"]["CONV_2D"], by_signature["encode"]["FULLY_CONNECTED"]) == (2, 2)
    assert (by_signature["decode"]["TRANSPOSE_CONV"], by_signature["decode"]["FULLY_CONNECTED"]) == (2, 2)
    assert by_signature["reconstruct"]["FULLY_CONNECTED"] == 4


def test_shared_weights_are_stored_once(folder, model):
    """Three endpoints contain the decoder, but the float32 buffers have its weights once."""
    _, file = read(folder / "model_float32.tflite")
    sizes = sum(file.Buffers(index).DataLength() for index in range(file.BuffersLength()))
    weights = 4 * (model.encoder.count_params() + model.decoder.count_params())
    assert weights <= sizes <= 1.02 * weights  # the rest is shapes and metadata of the converter


def test_scales_are_stored_once(folder):
    """All endpoints that use a layer share its vector of weight scales."""
    _, file = read(folder / "model.tflite")
    addresses_of = {}
    for graph in (file.Subgraphs(index) for index in range(file.SubgraphsLength())):
        for tensor in (graph.Tensors(index) for index in range(graph.TensorsLength())):
            quantization = tensor.Quantization()
            if quantization is not None and quantization.ScaleLength() > 4:
                values = quantization.ScaleAsNumpy()
                addresses_of.setdefault(values.tobytes(), []).append(values.__array_interface__["data"][0])
    repeated = [set(addresses) for addresses in addresses_of.values() if len(addresses) > 1]
    assert len(repeated) >= 4 and all(len(addresses) == 1 for addresses in repeated)


def test_buffers_are_aligned(folder):
    for name in ("model.tflite", "model_float32.tflite"):
        content, file = read(folder / name)
        start = np.frombuffer(content, np.uint8).__array_interface__["data"][0]
        buffers = [file.Buffers(index).DataAsNumpy() for index in range(file.BuffersLength())]
        offsets = [b.__array_interface__["data"][0] - start for b in buffers if isinstance(b, np.ndarray) and b.size]
        assert len(offsets) > 8 and not any(offset % BUFFER_ALIGNMENT for offset in offsets)


def test_deduplicating_again_changes_no_result(folder, tmp_path):
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
