"""Trains a model to rank, on any ratings or interactions, with nothing but its training graph:

    python train_ranking_anywhere.py train-ranking.onnx ROWS.csv

ROWS.csv has a header and three columns first: user, item, and a rating, or how often; without the third, each row of
interactions counts 1. The graph of a model of interactions is train.onnx. Prints the mean loss of each epoch.
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
training = about["training"]
inputs = {one.name: one.shape for one in session.get_inputs()}
if "positive_item" not in inputs:
    raise SystemExit("this graph trains on ratings; use train_anywhere.py")
with open(sys.argv[2], newline="", encoding="utf-8") as file:
    rows = list(csv.reader(file))[1:]
users, user = numpy.unique([row[0] for row in rows], return_inverse=True)
items, item = numpy.unique([row[1] for row in rows], return_inverse=True)
value = numpy.array([row[2] if len(row) > 2 else 1 for row in rows], numpy.float32)
least = -numpy.inf if training["positive"] == "all" else numpy.float32(training["positive"])
if "weights" in training:  # interactions: those of a user with an item are added up, and count if they are above 0
    pairs, pair = numpy.unique(user * len(items) + item, return_inverse=True)
    user, item, value = pairs // len(items), pairs % len(items), numpy.bincount(pair, weights=value)
    least = max(least, numpy.nextafter(0, 1))
liked = value >= least  # only what users like, or have, is learned
user, item, value = user[liked], item[liked], value[liked]
if len(user) == 0:
    raise SystemExit(f"no row is {least} or higher")
by_user = numpy.argsort(user, kind="stable")
ends = numpy.cumsum(numpy.bincount(user, minlength=len(users)))[:-1]
# What each user has, how much it weighs, and how many users have each item.
owned = numpy.split(item[by_user], ends)
weight = numpy.ones(len(user))
if "weight" in inputs:  # half alike and half by how often
    logarithms = numpy.log1p(value)
    weight = (1 + logarithms / logarithms.mean()) / 2
weights = numpy.split(weight[by_user], ends)
counts = numpy.bincount(item, minlength=len(items))
active = numpy.flatnonzero([len(own) for own in owned])
random = numpy.random.default_rng(1)


def first(name):
    shape = [{"users": len(users), "items": len(items)}.get(dim, dim) for dim in inputs[name]]
    drawn = about["initial"].get(name)
    if drawn is None:  # the optimizer's state
        return numpy.zeros(shape, numpy.float32)
    spread = drawn.get("uniform", 0)
    numbers = random.normal(0, drawn["normal"], shape) if "normal" in drawn else random.uniform(-spread, spread, shape)
    if "popularity" in drawn:
        logarithms = numpy.log(counts + 1)
        shaped = (logarithms - logarithms.mean()).reshape(-1, *[1] * (len(shape) - 1))
        numbers = numbers + drawn["popularity"] * shaped
    return (numbers + drawn.get("center", 0)).astype(numpy.float32)


def drawn_items():
    """Items by popularity, and how many items each of them stands for."""
    shares = (counts + 1) / (counts + 1).sum()
    drawn = random.choice(len(items), training["negatives"], p=shares)
    return drawn, 1 / (training["negatives"] * shares[drawn])


def decay(sizes, weight_and_power, updates=1):
    weight, power = weight_and_power
    return (2 * weight * sizes**power / updates).astype(numpy.float32)


outputs = [output.name for output in session.get_outputs()]
carried = {name: first(name) for name in inputs if f"{name}.next" in outputs}
epochs = training["epochs"]
steps = -(-len(active) // training["usersPerStep"])
bounds = numpy.arange(steps + 1) * len(active) // steps
sampled = "negative" in inputs
updates = steps
if sampled:  # the expected number of steps that update an item's row
    expected = training["negatives"] * (counts + 1) / (counts + 1).sum()
    updates = steps * -numpy.expm1(-expected - counts / steps)
weight_of_user = numpy.array([own.sum() for own in weights])
decays = {
    "user_decay": decay(weight_of_user, training["userDecay"]),
    "item_decay": decay(numpy.bincount(item, weights=weight, minlength=len(items)), training["itemDecay"], updates),
}
for epoch in range(epochs):
    order = random.permutation(active)
    positive_users, positive_items, step_items, negatives, stands_for = [], [], [], [], []
    for step in range(steps):
        lists = [owned[one] for one in order[bounds[step] : bounds[step + 1]]]
        positives = numpy.concatenate(lists)
        if sampled:  # the step's items are those that it has positives of or draws
            drawn, times = drawn_items()
            found = numpy.union1d(positives, drawn)
            positives = numpy.searchsorted(found, positives)
            step_items.append(found)
            negatives.append(numpy.searchsorted(found, drawn))
            stands_for.append(times)
        positive_users.append(numpy.repeat(numpy.arange(len(lists)), [len(own) for own in lists]))
        positive_items.append(positives)

    def starts(parts):
        return numpy.append(0, numpy.cumsum([len(part) for part in parts]))

    done = (epoch + numpy.arange(steps) / steps) / epochs
    rate = training["schedule"]["learningRate"] * (1 + numpy.cos(numpy.pi * done)) / 2
    feeds = {
        "user": order.astype(numpy.int32),
        "user_start": bounds,
        "positive_user": numpy.concatenate(positive_users).astype(numpy.int32),
        "positive_item": numpy.concatenate(positive_items).astype(numpy.int32),
        "positive_start": starts(positive_items),
        "user_weight": weight_of_user[order].astype(numpy.float32),
        **decays,
        "learning_rate": rate.astype(numpy.float32),
    }
    if "weight" in inputs:
        feeds["weight"] = numpy.concatenate([weights[one] for one in order]).astype(numpy.float32)
    if sampled:
        feeds["item"] = numpy.concatenate(step_items).astype(numpy.int32)
        feeds["item_start"] = starts(step_items)
        feeds["negative"] = numpy.array(negatives, numpy.int32)
        feeds["stands_for"] = numpy.array(stands_for, numpy.float32)
    results = dict(zip(outputs, session.run(outputs, {**carried, **feeds})))
    carried = {name: results[f"{name}.next"] for name in carried}
    print(f"epoch {epoch + 1}: loss {results['loss'].sum() / weight.sum():.4f}")
