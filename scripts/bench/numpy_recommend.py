"""The best items by NumPy: python numpy_recommend.py FOLDER USERS K RUNS

FOLDER holds user_factors.f32 and item_factors.f32, rows of 50 floats, user_bias.f32 and item_bias.f32. Scores every item
for USERS users, and takes the K best of each in order, all users at once and in chunks of 64, whichever is faster. Prints
one JSON object: medians of seconds.
"""

import json
import statistics
import sys
import time

import numpy as np


def top(factors, k, users):
    scores = factors["user_factors"][users] @ factors["item_factors"].T
    scores += factors["item_bias"]
    scores += factors["user_bias"][users, None]
    best = np.argpartition(-scores, k, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    best = np.take_along_axis(best, order, axis=1)
    return best, 1 / (1 + np.exp(-np.take_along_axis(scores, best, axis=1)))


def seconds(run, runs):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main(folder, users, k, runs):
    names = ("user_factors", "item_factors", "user_bias", "item_bias")
    tables = {name: np.fromfile(f"{folder}/{name}.f32", dtype=np.float32) for name in names}
    factors = {name: table.reshape(-1, 50) if "factors" in name else table for name, table in tables.items()}
    rows = np.arange(users) % len(factors["user_bias"])
    chunks = [rows[at : at + 64] for at in range(0, users, 64)]
    whole = seconds(lambda: top(factors, k, rows), runs)
    in_chunks = seconds(lambda: [top(factors, k, chunk) for chunk in chunks], runs)
    one = seconds(lambda: top(factors, k, rows[:1]), runs * 20)
    print(json.dumps({"version": np.__version__, "all": min(whole, in_chunks), "one": one}))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
