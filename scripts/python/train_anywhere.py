"""Trains on any ratings with nothing but a model's training graph: python train_anywhere.py train.onnx RATINGS.csv

RATINGS.csv has a header and three columns first: user, item, rating. Prints the mean loss of each epoch. What is
computed from the ratings is left out: the spectral initialisation, and the posterior at which biases start; they start at
their center.
"""

import csv
import json
import os
import sys

import numpy

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # is read by the import
import onnxruntime  # noqa: E402

if len(sys.argv) != 3:
    raise SystemExit(__doc__)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1  # as the metadata's intra_op_threads asks
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
about = {key: json.loads(value) for key, value in session.get_modelmeta().custom_metadata_map.items()}
with open(sys.argv[2], newline="", encoding="utf-8") as file:
    rows = list(csv.reader(file))[1:]
users, user = numpy.unique([row[0] for row in rows], return_inverse=True)
items, item = numpy.unique([row[1] for row in rows], return_inverse=True)
rating = numpy.array([row[2] for row in rows], numpy.float32)
random = numpy.random.default_rng(1)


def first(name, dims):
    shape = [{"users": len(users), "items": len(items)}.get(dim, dim) for dim in dims]
    drawn = about["initial"].get(name)
    if drawn is None:  # the optimizer's state
        return numpy.zeros(shape, numpy.float32)
    spread = drawn.get("uniform", 0)
    numbers = random.normal(0, drawn["normal"], shape) if "normal" in drawn else random.uniform(-spread, spread, shape)
    return (numbers + drawn.get("center", 0)).astype(numpy.float32)


outputs = [output.name for output in session.get_outputs()]
carried = {one.name: first(one.name, one.shape) for one in session.get_inputs() if f"{one.name}.next" in outputs}
training = about["training"]
epochs, batch_size = training["epochs"], training["batchSize"]
starts = numpy.append(numpy.arange(0, len(rating), batch_size), len(rating))
steps = len(starts) - 1
for epoch in range(epochs):
    order = random.permutation(len(rating))
    left = 1 - (epoch + numpy.arange(steps) / steps) / epochs
    feeds = {
        "user": user[order].astype(numpy.int32),
        "item": item[order].astype(numpy.int32),
        "actual": rating[order],
        "batch_start": starts,
        "learning_rate": (training["schedule"]["learningRate"] * left).astype(numpy.float32),
        "momentum": numpy.full(steps, 0.9, numpy.float32),
        "first_step": numpy.array(epoch * steps + 1, numpy.float32),
    }
    for number, width in enumerate(about.get("dropout_widths", []), 1):
        feeds.setdefault("noise", random.random(1 << 22, numpy.float32))
        feeds[f"noise_start_{number}"] = random.integers(0, (1 << 22) - batch_size * width, steps)
    results = dict(zip(outputs, session.run(outputs, {**carried, **feeds})))
    carried = {name: results[f"{name}.next"] for name in carried}
    print(f"epoch {epoch + 1}: loss {numpy.average(results['loss'], weights=numpy.diff(starts)):.4f}")
