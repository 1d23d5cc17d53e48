"""Python's ONNX Runtime training API on files and batches from a folder: for each line of input one epoch.

The folder has what `trainingArtifacts` makes, and of all epochs, one after the other, `user` and `item` int64[ratings],
`actual` float32[ratings], `start` int64[steps + 1], where each step begins in these. An answer is a JSON object a line.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "conformance" / "training"))
from onnxruntime_training import api, onnxruntime

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=Path)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--steps", type=int, required=True, help="of an epoch")
options = parser.parse_args()
folder = options.folder

settings = onnxruntime.SessionOptions()
settings.intra_op_num_threads = options.threads
settings.log_severity_level = 3
state = api.CheckpointState.load_checkpoint(folder / "checkpoint")
module = api.Module(
    folder / "training_model.onnx", state, folder / "eval_model.onnx", session_options=settings
)
optimizer = api.Optimizer(folder / "optimizer_model.onnx", module)

user, item = (np.fromfile(folder / name, np.int64) for name in ("user", "item"))
actual = np.fromfile(folder / "actual", np.float32)
start = np.fromfile(folder / "start", np.int64).tolist()


def epoch(number):
    losses = []
    train, optimize, reset = 0.0, 0.0, 0.0
    began = time.perf_counter()
    for step in range(number * options.steps, (number + 1) * options.steps):
        rows = slice(start[step], start[step + 1])
        started = time.perf_counter()
        loss = module(user[rows], item[rows], actual[rows])
        trained = time.perf_counter()
        optimizer.step()
        optimized = time.perf_counter()
        module.lazy_reset_grad()
        train += trained - started
        optimize += optimized - trained
        reset += time.perf_counter() - optimized
        losses.append(float(loss))
    return dict(
        seconds=time.perf_counter() - began,
        calls=dict(train=train, optimize=optimize, reset=reset),
        losses=losses,
    )


print(json.dumps(dict(version=onnxruntime.__version__)), flush=True)
for line in sys.stdin:
    print(json.dumps(epoch(int(line))), flush=True)
