"""Takes given steps of training, in one go and in two: python steps.py FOLDER

FOLDER holds training_model.onnx, eval_model.onnx, optimizer_model.onnx and checkpoint, and batches.json, a list of
{user, item, actual}. Writes trained.onnx there, which gives ratings. Prints, as JSON, the loss of each step; those of
the second half again, from a checkpoint saved after the first; the parameters after the last step, by name; and the
ratings that trained.onnx gives the last batch.
"""

import json
import pathlib
import sys

import numpy
from onnxruntime_training import api, onnxruntime

if len(sys.argv) != 2:
    raise SystemExit(__doc__)
folder = pathlib.Path(sys.argv[1])
batches = [
    (
        numpy.array(batch["user"], numpy.int64),
        numpy.array(batch["item"], numpy.int64),
        numpy.array(batch["actual"], numpy.float32),
    )
    for batch in json.loads((folder / "batches.json").read_text())
]


def load(checkpoint):
    state = api.CheckpointState.load_checkpoint(folder / checkpoint)
    model = api.Module(folder / "training_model.onnx", state, folder / "eval_model.onnx")
    return state, model, api.Optimizer(folder / "optimizer_model.onnx", model)


def train(model, optimizer, batches):
    losses = []
    for batch in batches:
        losses.append(model(*batch).item())
        optimizer.step()
        model.lazy_reset_grad()
    return losses


half = len(batches) // 2
state, model, optimizer = load("checkpoint")
losses = train(model, optimizer, batches[:half])
api.CheckpointState.save_checkpoint(state, folder / "saved", include_optimizer_state=True)
losses += train(model, optimizer, batches[half:])
parameters = {name: parameter.data.ravel().tolist() for name, parameter in state.parameters}
model.export_model_for_inferencing(folder / "trained.onnx", ["rating"])
session = onnxruntime.InferenceSession(folder / "trained.onnx", providers=["CPUExecutionProvider"])
user, item, _ = batches[-1]
(ratings,) = session.run(["rating"], {"user": user, "item": item})

_, model, optimizer = load("saved")
again = train(model, optimizer, batches[half:])
results = {"losses": losses, "again": again, "parameters": parameters, "ratings": ratings.tolist()}
json.dump(results, sys.stdout)
