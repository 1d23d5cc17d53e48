"""LIBMF: the same split, its own model (factors without biases) and its own optimizer (parallel SGD)."""

from ratings import Stopwatch, arguments, read, report, rmse, rows

stopwatch = Stopwatch()
import numpy as np
from importlib.metadata import version
from libmf import mf

stopwatch.lap("import")

options = arguments(threads={"type": int, "default": 1}, sweeps={"type": int, "default": 12})
train_users, train_items, train_ratings = read(options.train)
test_users, test_items, test_ratings = read(options.test)
train_users, test_users, _ = rows(train_users, test_users)
train_items, test_items, _ = rows(train_items, test_items)
stopwatch.lap("read")

# In the type that the binding turns everything into.
train = np.stack([train_users, train_items, train_ratings], axis=1, dtype=np.float32, casting="same_kind")
L2 = dict(lambda_p1=0, lambda_q1=0, lambda_p2=0.08, lambda_q2=0.08)
steps = dict(eta=0.1, nr_iters=options.sweeps, nr_threads=options.threads)
model = mf.MF(fun=mf.P_L2_MFR, k=50, quiet=True, **steps, **L2)
stopwatch.lap("build")

model.fit(train)
stopwatch.lap("train")

# The binding reads its pairs column by column, whatever its documentation says.
error = rmse(model.predict(np.stack([test_users, test_items]).T), test_ratings)
sweeps = dict(threads=options.threads, epochs=options.sweeps)
report("libmf", version("libmf"), stopwatch, error, options, **sweeps)
