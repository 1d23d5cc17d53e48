"""Weights between items by NumPy and LAPACK, as in the EASE paper's program. Prints JSON lines of wall seconds."""

import json
import sys
import time

import numpy as np
import scipy.sparse as sparse
from scipy.linalg import lapack

folder, users, items, penalty, inverts = sys.argv[1], *map(float, sys.argv[2:5]), sys.argv[5:]
users, items = int(users), int(items)
starts = np.fromfile(f"{folder}/starts.bin", np.int32)
columns = np.fromfile(f"{folder}/items.bin", np.int32)


def weights(inverse):
    start = time.perf_counter()
    ones = np.ones(len(columns), np.float32)
    x = sparse.csr_matrix((ones, columns, starts), (users, items))
    gram = (x.T @ x).toarray()
    gram[np.diag_indices(items)] += np.float32(penalty)
    p = inverse(gram)
    b = p / -np.diag(p)
    b[np.diag_indices(items)] = 0
    return time.perf_counter() - start, b


def cholesky(gram):
    factor, _ = lapack.spotrf(gram, lower=0, overwrite_a=1)
    p, _ = lapack.spotri(factor, lower=0, overwrite_c=1)
    lower = np.tril_indices(items, -1)
    if items < 12_000:
        p[lower] = p.T[lower]
    else:  # The indices would take more memory than the matrix.
        for row in range(1, items):
            p[row, :row] = p[:row, row]
    return p


for name in inverts:
    seconds, b = weights({"inv": np.linalg.inv, "cholesky": cholesky}[name])
    print(json.dumps({"name": name, "seconds": seconds, "first": b[0, 1:4].tolist()}), flush=True)
