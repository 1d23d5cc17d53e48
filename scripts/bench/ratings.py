"""What every Python peer shares: the same split read the same way, the same measure, the same report."""

import argparse
import json
import time

import numpy as np


def arguments(**extra):
    parser = argparse.ArgumentParser()
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--seed", type=int, default=1)
    for name, options in extra.items():
        parser.add_argument(f"--{name}", **options)
    return parser.parse_args()


def read(path):
    """User ids, item ids and ratings of a tab-separated file, three int64 columns of shape [ratings]."""
    return np.loadtxt(path, dtype=np.int64, delimiter="\t", usecols=(0, 1, 2), unpack=True)


def rows(train_ids, test_ids):
    """(training rows, test rows, table size); row 0 stands for an id that training never saw."""
    known, train_rows = np.unique(train_ids, return_inverse=True)
    places = np.minimum(np.searchsorted(known, test_ids), len(known) - 1)
    test_rows = np.where(known[places] == test_ids, places + 1, 0)
    return train_rows + 1, test_rows, len(known) + 1


def rmse(predictions, ratings):
    return float(np.sqrt(np.mean((np.asarray(predictions, dtype=np.float64) - ratings) ** 2)))


class Stopwatch:
    """Seconds since the last lap, by name."""

    def __init__(self):
        self.seconds = {}
        self.started = time.perf_counter()

    def lap(self, name):
        now = time.perf_counter()
        self.seconds[name] = now - self.started
        self.started = now


def report(name, version, stopwatch, error, threads, seed):
    """One JSON object as the last line of standard output."""
    seconds = stopwatch.seconds
    print(json.dumps(dict(name=name, version=version, seconds=seconds, rmse=error, threads=threads, seed=seed)))
