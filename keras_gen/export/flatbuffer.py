"""What is inside a TFLite file, and the same file written without repetition."""

import collections

import flatbuffers
import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

IDENTIFIER = b"TFL3"
BUFFER_ALIGNMENT = 16
_NAMES = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}


def operations(content: bytes) -> dict[str, dict[str, int]]:
    """Signature -> {op: how often}; a custom (or Flex) op has its own name in angle brackets."""
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


def without_repetition(content: bytes) -> bytes:
    """The same model with equal vectors stored once, and buffers aligned to 16 bytes.

    The endpoints of a system share networks. The converter stores the shared weights once, but repeats the scales
    and zero points of every output channel for every endpoint: 12 bytes a channel each time, a tenth of an int8 file.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    builder = _SharingBuilder(len(content))
    builder.Finish(model.Pack(builder), file_identifier=IDENTIFIER)
    return bytes(builder.Output())


class _SharingBuilder(flatbuffers.Builder):
    """A flatbuffer builder that writes each distinct vector and string once."""

    def __init__(self, size: int):
        super().__init__(size)
        self._written = {}

    def CreateNumpyVector(self, x):  # noqa: N802  (the name that the generated code calls)
        key = (x.dtype.str, x.tobytes())
        if key not in self._written:
            self._written[key] = self._bytes(x) if x.dtype == np.uint8 else super().CreateNumpyVector(x)
        return self._written[key]

    def CreateString(self, s, *args, **kwargs):  # noqa: N802
        if s not in self._written:
            self._written[s] = super().CreateString(s, *args, **kwargs)
        return self._written[s]

    def _bytes(self, x: np.ndarray):
        # the schema asks for this alignment of buffers; CreateNumpyVector knows the element's alone
        self.StartVector(1, x.size, BUFFER_ALIGNMENT)
        self.head = self.Head() - x.size
        self.Bytes[self.Head() : self.Head() + x.size] = x.tobytes()
        self.vectorNumElems = x.size
        return self.EndVector()
