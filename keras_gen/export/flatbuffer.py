"""The content of a TFLite file: its operations, and the same file without repeated vectors."""

import collections

import flatbuffers
import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

IDENTIFIER = b"TFL3"
BUFFER_ALIGNMENT = 16
_NAMES = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}


def operations(content: bytes) -> dict[str, dict[str, int]]:
    """Counts the operations of each signature.

    Args:
        content: of a .tflite file.

    Returns:
        signature -> {operation: count}; a custom (or Flex) operation has its own name in angle brackets.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    codes = [
        f"<{code.customCode.decode()}>" if code.builtinCode == schema.BuiltinOperator.CUSTOM
        else _NAMES.get(max(code.builtinCode, code.deprecatedBuiltinCode), str(code.builtinCode))
        for code in model.operatorCodes
    ]  # fmt: skip
    return {
        signature.signatureKey.decode(): dict(
            sorted(
                collections.Counter(
                    codes[operator.opcodeIndex] for operator in model.subgraphs[signature.subgraphIndex].operators
                ).items()
            )
        )
        for signature in model.signatureDefs
    }


def deduplicate(content: bytes) -> bytes:
    """Returns the same model with equal vectors stored once, and buffers aligned to 16 bytes.

    The endpoints of a model share networks. The converter stores the shared weights once, but repeats the scales
    and zero points of every output channel for every endpoint: 12 bytes a channel each time, a tenth of an int8 file.

    Args:
        content: of a .tflite file.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    builder = _DeduplicatingBuilder(len(content))
    builder.Finish(model.Pack(builder), file_identifier=IDENTIFIER)
    return bytes(builder.Output())


class _DeduplicatingBuilder(flatbuffers.Builder):
    """A flatbuffer builder that writes each distinct vector and string once."""

    def __init__(self, size: int):
        super().__init__(size)
        self._offsets = {}

    def CreateNumpyVector(self, x):  # noqa: N802  (the generated code calls this name)
        key = (x.dtype.str, x.tobytes())
        if key not in self._offsets:
            self._offsets[key] = self._create_buffer(x) if x.dtype == np.uint8 else super().CreateNumpyVector(x)
        return self._offsets[key]

    def CreateString(self, s, *args, **kwargs):  # noqa: N802
        if s not in self._offsets:
            self._offsets[s] = super().CreateString(s, *args, **kwargs)
        return self._offsets[s]

    def _create_buffer(self, x: np.ndarray):
        # the schema requires this alignment for buffers; CreateNumpyVector aligns to the element's size only
        self.StartVector(1, x.size, BUFFER_ALIGNMENT)
        self.head = self.Head() - x.size
        self.Bytes[self.Head() : self.Head() + x.size] = x.tobytes()
        self.vectorNumElems = x.size
        return self.EndVector()
