"""What every Python peer shares: the same split read the same way, the same measure, the same report."""

import time

BEGUN = time.perf_counter()

import argparse
import json

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
    """User ids, item ids and ratings of a file: Parquet, CSV with a header, or tab-separated text without."""
    if path.endswith(".parquet"):
        # Not at the top: text here is small, and NumPy has read it before pyarrow is imported.
        from pyarrow import parquet

        return [column.to_numpy() for column in parquet.read_table(path).columns]
    is_csv = path.endswith(".csv")
    form = dict(dtype="i4,i4,f4", delimiter="," if is_csv else "\t", skiprows=int(is_csv))
    return np.loadtxt(path, usecols=(0, 1, 2), unpack=True, **form)


def rows(train_ids, test_ids):
    """(training rows, test rows, table size); row 0 stands for an id that training never saw."""
    known = np.bincount(train_ids, minlength=max(train_ids.max(), test_ids.max()) + 1) > 0
    # Ids are small whole numbers, so looking each up in a table is as fast as it gets.
    row_of = np.where(known, np.cumsum(known), 0).astype(np.int32)
    return row_of[train_ids], row_of[test_ids], int(known.sum()) + 1


def rmse(predictions, ratings):
    return float(np.sqrt(np.mean((np.asarray(predictions, dtype=np.float64) - ratings) ** 2)))


class Stopwatch:
    """Seconds since the last lap, by name; NumPy is in the first."""

    def __init__(self):
        self.seconds = {}
        self.started = BEGUN

    def lap(self, name):
        now = time.perf_counter()
        self.seconds[name] = now - self.started
        self.started = now


def report(name, version, stopwatch, error, options, **extra):
    """One JSON object as the last line of standard output."""
    run = dict(name=name, version=version, seconds=stopwatch.seconds, rmse=error, seed=options.seed)
    print(json.dumps({**run, **extra}))
