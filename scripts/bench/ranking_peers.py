"""Trains implicit's ALS and LightFM's WARP for ranking.ts, on one thread:

    python ranking_peers.py SCRATCH USERS ITEMS

Reads SCRATCH/starts.bin and SCRATCH/items.bin, the items of each user. The settings of both are chosen on a tenth of these pairs. After every
iteration it writes the factors to a file, and prints a line of JSON with the CPU seconds up to then.
"""

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
import json
import sys
import time

import numpy
from implicit.als import AlternatingLeastSquares
from lightfm import LightFM
from scipy.sparse import csr_matrix

scratch, users, items = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
starts = numpy.fromfile(f"{scratch}/starts.bin", numpy.int32)
own = numpy.fromfile(f"{scratch}/items.bin", numpy.int32)
pairs = csr_matrix((numpy.ones(len(own), numpy.float32), own, starts), (users, items))

ALS = [
    {"factors": factors, "alpha": alpha, "regularization": regularization}
    for factors in (8, 16, 32, 64)
    for alpha, regularization in [(1, 10), (4, 40), (10, 100), (10, 300), (20, 300), (40, 400)]
]
WARP = [
    {"no_components": factors, "learning_rate": rate, "item_alpha": decay, "user_alpha": decay}
    for factors in (16, 32, 64)
    for rate, decay in [(0.05, 0), (0.05, 1e-5), (0.1, 1e-5)]
]
ITERATIONS = 12
# The settings are judged after these.
JUDGED = (4, 5, 6, 8, 12)


def als(data, settings, after):
    model = AlternatingLeastSquares(
        **settings, iterations=ITERATIONS, random_state=1, num_threads=1, use_gpu=False
    )
    model.fit(
        data,
        show_progress=False,
        callback=lambda iteration, *_: after(iteration + 1, model.user_factors, model.item_factors, numpy.zeros(items)),
    )


def warp(data, settings, after):
    model = LightFM(**settings, loss="warp", random_state=1)
    for iteration in range(ITERATIONS):
        model.fit_partial(data.tocoo(), epochs=1, num_threads=1)
        after(iteration + 1, model.user_embeddings, model.item_embeddings, model.item_biases)


def ndcg(user_factors, item_factors, biases, data, held_out):
    """NDCG at 10 of a fourth of the users, as ranking.ts measures it of all."""
    rows = numpy.flatnonzero(numpy.diff(held_out.indptr))[::4]
    scores = user_factors[rows] @ item_factors.T + biases
    seen = data[rows].tocoo()
    scores[seen.row, seen.col] = -numpy.inf
    discounts = 1 / numpy.log2(numpy.arange(10) + 2)
    gains = []
    for row, user in enumerate(rows):
        best = numpy.argpartition(-scores[row], 10)[:10]
        best = best[numpy.argsort(-scores[row, best])]
        wanted = held_out.indices[held_out.indptr[user] : held_out.indptr[user + 1]]
        gains.append((discounts * numpy.isin(best, wanted)).sum() / discounts[: len(wanted)].sum())
    return numpy.mean(gains)


def tuned(train, grid):
    """The settings with the highest NDCG after any number of iterations, and that number."""
    is_held_out = numpy.random.default_rng(0).random(pairs.nnz) < 0.1
    row, column = pairs.nonzero()
    inner, held_out = [
        csr_matrix((numpy.ones(part.sum(), numpy.float32), (row[part], column[part])), pairs.shape)
        for part in (~is_held_out, is_held_out)
    ]
    found = []
    for settings in grid:

        def judge(iteration, *factors):
            if iteration in JUDGED:
                found.append((ndcg(*factors, inner, held_out), iteration, settings))

        train(inner, settings, judge)
    return max(found, key=lambda one: one[0])[1:]


for name, train, grid in [("implicit ALS", als, ALS), ("LightFM WARP", warp, WARP)]:
    best, settings = tuned(train, grid)
    seconds, last = 0, time.process_time()

    def after(iteration, *factors):
        global seconds, last
        seconds += time.process_time() - last
        file = f"{scratch}/{name.split()[1]}-{iteration}.bin"
        with open(file, "wb") as out:
            for part in factors:
                out.write(numpy.ascontiguousarray(part, numpy.float32).tobytes())
        width = factors[0].shape[1]
        line = {"name": name, "iteration": iteration, "best": best, "seconds": seconds, "factors": width, "file": file}
        print(json.dumps({**line, "settings": settings}), flush=True)
        last = time.process_time()

    train(pairs, settings, after)
