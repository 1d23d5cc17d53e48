"""Whether another runtime agrees: python check.py PREDICT.onnx PAIRS.json

PAIRS.json is [{"user": ..., "item": ..., "rating": ...}], the ratings as cofactor predicts them. ONNX's checker reads
the model, then ONNX Runtime and ONNX's reference evaluator predict the same pairs. Prints one JSON object; exits with
1 when the checker complains or a rating is more than TOLERANCE away.
"""

import json
import sys

import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator

TOLERANCE = 1e-5


def verdict(model_path):
    try:
        onnx.checker.check_model(model_path, full_check=True)
        return "ok"
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as problem:
        return str(problem)


def difference(runtime, pairs):
    """How far the runtime's furthest rating is from the expected one; None when one of them is no number."""
    inputs = {name: np.array([pair[name] for pair in pairs], dtype=object) for name in ("user", "item")}
    expected = np.array([pair["rating"] for pair in pairs], dtype=np.float32)
    (rating,) = runtime.run(["rating"], inputs)
    if rating.dtype != np.float32 or rating.shape != expected.shape:
        raise SystemExit(f"rating is {rating.dtype}{list(rating.shape)}, expected float32{list(expected.shape)}")
    furthest = float(np.max(np.abs(rating - expected)))
    return furthest if np.isfinite(furthest) else None


def main(model_path, pairs_path):
    with open(pairs_path, encoding="utf-8") as file:
        pairs = json.load(file)
    report = {"checker": verdict(model_path)}
    if report["checker"] == "ok":
        session = onnxruntime.InferenceSession(model_path, providers=["CPUExecutionProvider"])
        for name, version, runtime in (
            ("onnxruntime", onnxruntime.__version__, session),
            ("reference", onnx.__version__, ReferenceEvaluator(model_path)),
        ):
            report[name] = {"version": version, "maxDifference": difference(runtime, pairs)}
    print(json.dumps(report))
    differences = [result["maxDifference"] for name, result in report.items() if name != "checker"]
    return len(differences) == 2 and all(value is not None and value <= TOLERANCE for value in differences)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    raise SystemExit(0 if main(*sys.argv[1:]) else 1)
