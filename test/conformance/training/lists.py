"""Runs a training graph on given inputs: python lists.py GRAPH INPUTS.json

INPUTS.json has, by name, {type, dims, data}. Prints all outputs by name as JSON, as lists of float32 in full.
"""

import json
import sys

import numpy
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
with open(sys.argv[2], encoding="utf-8") as file:
    given = json.load(file)
feeds = {name: numpy.array(one["data"], one["type"]).reshape(one["dims"]) for name, one in given.items()}
names = [output.name for output in session.get_outputs()]
json.dump({name: value.ravel().tolist() for name, value in zip(names, session.run(names, feeds))}, sys.stdout)
