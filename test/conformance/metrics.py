"""What others make of the same cases: python metrics.py < CASES

Reads a JSON list and prints one as long, of numbers by name. A case is either {predicted, actual}, whose errors are
scikit-learn's, or {k, threshold, items, scores, seen, heldOut}, whose ranking metrics are those of trec_eval, by
pytrec_eval: scores is [users, items], seen a list of items a user, heldOut [user, item, rating] each, where an item
past the last is one that nobody has rated in training. Coverage, Gini and novelty, which trec_eval lacks, are NumPy's.
"""

import json
import sys

import numpy as np
import pytrec_eval
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

TREC = {"precision": "P", "recall": "recall", "ndcg": "ndcg_cut", "map": "map_cut", "hitRate": "success"}


def errors(predicted, actual):
    return {
        "rmse": float(root_mean_squared_error(actual, predicted)),
        "mae": float(mean_absolute_error(actual, predicted)),
    }


def gini(times):
    """Half the relative mean absolute difference, scaled to 1 for one item alone"""
    differences = np.abs(times[:, None] - times[None]).sum()
    return float(differences / (2 * (len(times) - 1) * times.sum()))


def ranking(k, threshold, items, scores, seen, heldOut):
    relevant = {}
    for place, (user, item, rating) in enumerate(heldOut):
        if rating >= threshold and item not in seen[user]:
            name = str(item) if item < items else f"unknown {place}"
            relevant.setdefault(str(user), {})[name] = 1
    run = {
        user: {
            str(item): float(score)
            for item, score in enumerate(scores[int(user)])
            if item not in seen[int(user)]
        }
        for user in relevant
    }
    best = {user: sorted(ofUser, key=ofUser.get, reverse=True)[:k] for user, ofUser in run.items()}
    cut = {user: {item: run[user][item] for item in listed} for user, listed in best.items()}
    measures = {f"{name}.{k}" for name in TREC.values()}
    found = pytrec_eval.RelevanceEvaluator(relevant, measures).evaluate(run)
    first = pytrec_eval.RelevanceEvaluator(relevant, {"recip_rank"}).evaluate(cut)
    mean = lambda results, name: float(np.mean([results.get(user, {}).get(name, 0) for user in relevant]))
    counts = np.bincount(np.concatenate(seen).astype(int), minlength=items)
    listed = np.array([int(item) for listed in best.values() for item in listed])
    return {
        "users": len(relevant),
        **{name: mean(found, f"{trec}_{k}") for name, trec in TREC.items()},
        "mrr": mean(first, "recip_rank"),
        "coverage": len(np.unique(listed)) / items,
        "gini": gini(np.bincount(listed, minlength=items)),
        "novelty": float(np.mean(-np.log2(np.maximum(counts[listed], 1) / len(seen)))),
    }


print(json.dumps([errors(**case) if "actual" in case else ranking(**case) for case in json.load(sys.stdin)]))
