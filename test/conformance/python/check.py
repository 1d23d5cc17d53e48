"""Whether ONNX's checker finds nothing in the `.onnx` files of a folder: python check.py FOLDER

Prints one JSON object: the checker's version, and its complaint, or null, for each file.
"""

import json
import sys
from pathlib import Path

import onnx


def complaint(path):
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as problem:
        return str(problem)


if len(sys.argv) != 2:
    raise SystemExit(__doc__)
folder = Path(sys.argv[1])
complaints = {path.relative_to(folder).as_posix(): complaint(path) for path in sorted(folder.rglob("*.onnx"))}
print(json.dumps({"version": onnx.__version__, "complaints": complaints}))
