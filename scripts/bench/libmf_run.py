"""LIBMF: the same split, its own model (factors without biases) and its own optimizer (parallel SGD)."""

from ratings import Stopwatch, arguments, read, report, rmse, rows

stopwatch = Stopwatch()
import numpy as np
from importlib.metadata import version
from libmf import mf

stopwatch.lap("import")

options = arguments(threads={"type": int, "default": 1})
train_users, train_items, train_ratings = read(options.train)
test_users, test_items, test_ratings = read(options.test)
train_users, test_users, _ = rows(train_users, test_users)
train_items, test_items, _ = rows(train_items, test_items)
stopwatch.lap("read")

L2 = dict(lambda_p1=0, lambda_q1=0, lambda_p2=0.08, lambda_q2=0.08)
model = mf.MF(fun=mf.P_L2_MFR, k=50, eta=0.1, nr_iters=12, nr_threads=options.threads, quiet=True, **L2)
model.fit(np.column_stack([train_users, train_items, train_ratings]))
stopwatch.lap("train")

# The binding reads its pairs column by column, whatever its documentation says.
predictions = model.predict(np.asfortranarray(np.column_stack([test_users, test_items])))
report("libmf", version("libmf"), stopwatch, rmse(predictions, test_ratings), options.threads, options.seed)
