"""Losses and gradients by two training models of one forward graph: python gradients.py FOLDER...

A FOLDER holds training_model.onnx; forward.onnx, whose initializers are the parameters and whose output is the loss;
and batches.json, a list of {user, item, actual}. The second training model is made of forward.onnx by
generate_artifacts. Prints, as JSON, for each folder {"given": [{loss, gradients}, ...], "generated": [...]}, one a batch.
"""

import json
import logging
import pathlib
import sys

import numpy
import onnx
from onnx import numpy_helper
from onnxruntime_training import artifacts, onnxruntime

ACCUMULATOR = "InPlaceAccumulatorV2"
SUFFIX = "_grad.accumulation.buffer"


def train_steps(model, parameters, batches):
    """What a training model adds to its buffers becomes an output, so that an ordinary session tells it."""
    gradients = {
        node.input[0].removesuffix(SUFFIX): node.input[1] for node in model.graph.node if node.op_type == ACCUMULATOR
    }
    for name in gradients.values():
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    state = {
        **parameters,
        **{f"{name}{SUFFIX}": numpy.zeros_like(parameters[name]) for name in gradients},
        "lazy_reset_grad": numpy.array([True]),
    }
    steps = []
    for batch in batches:
        loss, *slopes = session.run(["loss", *gradients.values()], {**state, **batch})
        steps.append({"loss": loss.item(), "gradients": {n: s.ravel().tolist() for n, s in zip(gradients, slopes)}})
    return steps


def compare(folder):
    forward = onnx.load(folder / "forward.onnx")
    # Other initializers are constants of the formula.
    names = [node.name for node in onnx.load(folder / "training_model.onnx").graph.input]
    parameters = {one.name: numpy_helper.to_array(one) for one in forward.graph.initializer if one.name in names}
    batches = [
        {
            "user": numpy.array(batch["user"], numpy.int64),
            "item": numpy.array(batch["item"], numpy.int64),
            "actual": numpy.array(batch["actual"], numpy.float32),
        }
        for batch in json.loads((folder / "batches.json").read_text())
    ]
    artifacts.generate_artifacts(
        forward, requires_grad=list(parameters), artifact_directory=folder, prefix="generated_"
    )
    files = {"given": "training_model.onnx", "generated": "generated_training_model.onnx"}
    return {key: train_steps(onnx.load(folder / file), parameters, batches) for key, file in files.items()}


if len(sys.argv) < 2:
    raise SystemExit(__doc__)
logging.disable()
json.dump([compare(pathlib.Path(folder)) for folder in sys.argv[1:]], sys.stdout)
