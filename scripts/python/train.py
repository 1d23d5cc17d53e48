"""Trains a model on, natively, by what `cofactor export MODEL --training FOLDER` wrote:

    python train.py FOLDER RATINGS.csv [OUT.onnx]

RATINGS.csv has a header and three columns first: user, item, rating; ids that the model does not know are left out.
Prints the mean loss before training, and of each epoch. OUT.onnx takes user, item int64[batch], rows in the lists of
FOLDER/vocabulary.json, and gives rating float[batch].
"""

import csv
import json
import pathlib
import sys

import numpy
from onnxruntime_training import api, onnxruntime

if len(sys.argv) not in (3, 4):
    raise SystemExit(__doc__)
folder = pathlib.Path(sys.argv[1])
session = onnxruntime.InferenceSession(folder / "eval_model.onnx", providers=["CPUExecutionProvider"])
training = json.loads(session.get_modelmeta().custom_metadata_map["training"])
vocabulary = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
rows = {kind: {known: row for row, known in enumerate(ids)} for kind, ids in vocabulary.items()}
with open(sys.argv[2], newline="", encoding="utf-8") as file:
    lines = [line for line in list(csv.reader(file))[1:] if line[0] in rows["user"] and line[1] in rows["item"]]
user = numpy.array([rows["user"][line[0]] for line in lines], numpy.int64)
item = numpy.array([rows["item"][line[1]] for line in lines], numpy.int64)
rating = numpy.array([line[2] for line in lines], numpy.float32)

if not lines:
    raise SystemExit("none of the ratings is by a user and of an item that the model knows")

state = api.CheckpointState.load_checkpoint(folder / "checkpoint")
model = api.Module(folder / "training_model.onnx", state, folder / "eval_model.onnx")
optimizer = api.Optimizer(folder / "optimizer_model.onnx", model)
random = numpy.random.default_rng(1)


def evaluate(*batch):
    loss, _ = model(*batch)
    return loss


def step(*batch):
    loss = model(*batch)
    optimizer.step()
    model.lazy_reset_grad()
    return loss


def mean_loss(run):
    """Over all ratings, in an order of its own."""
    batches = numpy.array_split(random.permutation(len(rating)), -(-len(rating) // training["batchSize"]))
    losses = [run(user[batch], item[batch], rating[batch]).item() for batch in batches]
    return numpy.average(losses, weights=[len(batch) for batch in batches])


model.eval()
print(f"before: loss {mean_loss(evaluate):.4f}")
model.train()
for epoch in range(training["epochs"]):
    print(f"epoch {epoch + 1}: loss {mean_loss(step):.4f}")
if len(sys.argv) == 4:
    model.export_model_for_inferencing(sys.argv[3], ["rating"])
