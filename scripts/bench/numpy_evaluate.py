"""Evaluates factors by NumPy: python numpy_evaluate.py FOLDER RUNS

FOLDER holds user_factors.f32 and item_factors.f32, rows of 50 floats, user_bias.f32 and item_bias.f32, each with a last
row that is not of the catalogue; what is held out as users.i32, items.i32 and ratings.f32; seen_users.i32 and
seen_items.i32; and settings.json: low, high, threshold, k. Predicts what is held out and takes its errors; and ranks all
items but those seen for each user, in pieces of 128, with the metrics at each k. No intervals, no groups. Prints one JSON
object: medians of seconds, and some of the metrics, which are to be the same.
"""

import json
import statistics
import sys
import time

import numpy as np

PIECE = 8192
USERS = 128


def predict(tables, users, items, low, high):
    found = np.empty(len(users), dtype=np.float32)
    for at in range(0, len(users), PIECE):
        user, item = users[at : at + PIECE], items[at : at + PIECE]
        score = np.einsum("nf,nf->n", tables["user_factors"][user], tables["item_factors"][item])
        score += tables["user_bias"][user] + tables["item_bias"][item]
        found[at : at + PIECE] = low + (high - low) / (1 + np.exp(-score))
    return found


def errors(predicted, ratings):
    error = predicted.astype(np.float64) - ratings
    return {"rmse": float(np.sqrt(np.mean(error**2))), "mae": float(np.mean(np.abs(error)))}


def lists(tables, starts, seen, users, longest):
    best = []
    for at in range(0, len(users), USERS):
        piece = users[at : at + USERS]
        scores = tables["user_factors"][piece] @ tables["item_factors"][:-1].T
        scores += tables["item_bias"][:-1]
        for row, user in enumerate(piece):
            scores[row, seen[starts[user] : starts[user + 1]]] = -np.inf
        top = np.argpartition(-scores, longest, axis=1)[:, :longest]
        order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1, kind="stable")
        best.append(np.take_along_axis(top, order, axis=1))
    return np.concatenate(best)


def ranking(tables, starts, seen, held_out, settings):
    users, items, ratings = held_out
    user_count, item_count = len(tables["user_bias"]) - 1, len(tables["item_bias"]) - 1
    relevant = np.zeros((user_count, item_count), dtype=bool)
    good = ratings >= settings["threshold"]
    relevant[users[good], items[good]] = True
    wanted = relevant.sum(axis=1)
    ranked = np.flatnonzero(wanted)
    wanted = wanted[ranked]
    best = lists(tables, starts, seen, ranked, max(settings["k"]))
    hits = relevant[ranked[:, None], best]
    counts = np.bincount(seen, minlength=item_count)
    found = {}
    for k in settings["k"]:
        hit = hits[:, :k]
        discounts = 1 / np.log2(np.arange(k) + 2)
        ideal = np.cumsum(discounts)[np.minimum(wanted, k) - 1]
        precisions = np.cumsum(hit, axis=1) / (np.arange(k) + 1)
        first = np.where(hit.any(axis=1), hit.argmax(axis=1), np.inf)
        found[k] = {
            "precision": float(hit.mean()),
            "recall": float((hit.sum(axis=1) / wanted).mean()),
            "ndcg": float((hit @ discounts / ideal).mean()),
            "map": float(((precisions * hit).sum(axis=1) / wanted).mean()),
            "mrr": float((1 / (first + 1)).mean()),
            "hitRate": float(hit.any(axis=1).mean()),
            "coverage": len(np.unique(best[:, :k])) / item_count,
            "novelty": float(-np.log2(np.maximum(counts[best[:, :k]], 1) / user_count).mean()),
        }
    return found


def seconds(run, runs):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        result = run()
        times.append(time.perf_counter() - start)
    return result, statistics.median(times)


def main(folder, runs):
    def read(name):
        return np.fromfile(f"{folder}/{name}", dtype=np.float32 if name.endswith("f32") else np.int32)

    with open(f"{folder}/settings.json") as file:
        settings = json.load(file)
    names = ("user_factors", "item_factors", "user_bias", "item_bias")
    tables = {name: read(f"{name}.f32") for name in names}
    tables = {name: table.reshape(-1, 50) if "factors" in name else table for name, table in tables.items()}
    users, items, ratings = held_out = read("users.i32"), read("items.i32"), read("ratings.f32")
    order = np.argsort(read("seen_users.i32"), kind="stable")
    seen = read("seen_items.i32")[order]
    starts = np.searchsorted(read("seen_users.i32")[order], np.arange(len(tables["user_bias"])))
    low, high = settings["low"], settings["high"]
    error, of_errors = seconds(lambda: errors(predict(tables, users, items, low, high), ratings), runs)
    ranked, of_ranking = seconds(lambda: ranking(tables, starts, seen, held_out, settings), runs)
    result = {"errors": of_errors, "ranking": of_ranking, "metrics": {**error, "ranking": ranked}}
    print(json.dumps({"version": np.__version__, **result}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
