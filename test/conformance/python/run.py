"""Runs a golden set: python run.py onnxruntime|reference FOLDER

FOLDER holds `.onnx` files and golden.json. Prints one JSON object, see test/conformance/README.md.
"""

import json
import sys
from pathlib import Path

import numpy

TYPES = {"string": object, "int64": numpy.int64, "float": numpy.float32}


def decode(tensor):
    return numpy.array(tensor["data"], TYPES[tensor["type"]]).reshape(tensor["shape"])


def encode(array):
    (name,) = [name for name, dtype in TYPES.items() if array.dtype == dtype] or [str(array.dtype)]
    return {"type": name, "shape": array.shape, "data": array.ravel().tolist()}


def load_onnxruntime(path):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return [output.name for output in session.get_outputs()], session


def load_reference(path):
    evaluator = ReferenceEvaluator(path)
    return evaluator.output_names, evaluator


def results(load, folder, cases):
    models = {}
    for case in cases:
        try:
            if case["model"] not in models:
                models[case["model"]] = load(str(folder / case["model"]))
            names, model = models[case["model"]]
            arrays = model.run(names, {name: decode(tensor) for name, tensor in case["inputs"].items()})
            yield {"outputs": {name: encode(array) for name, array in zip(names, arrays)}}
        except Exception as problem:
            yield {"error": f"{type(problem).__name__}: {problem}"}


if len(sys.argv) != 3 or sys.argv[1] not in ("onnxruntime", "reference"):
    raise SystemExit(__doc__)
if sys.argv[1] == "onnxruntime":
    import onnxruntime

    report, load = {"runtime": "onnxruntime for Python", "version": onnxruntime.__version__}, load_onnxruntime
else:
    import onnx
    from onnx.reference import ReferenceEvaluator

    report, load = {"runtime": "the reference evaluator of onnx, in Python,", "version": onnx.__version__}, load_reference
folder = Path(sys.argv[2])
cases = json.loads((folder / "golden.json").read_text(encoding="utf-8"))
print(json.dumps({**report, "results": list(results(load, folder, cases))}, allow_nan=False))
