"""implicit's alternating least squares: ranks by how often, and predicts no rating, so there is no RMSE."""

import os

# It asks for this itself: the threads of BLAS get in the way of its own.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

from ratings import Stopwatch, arguments, read, report, rows

stopwatch = Stopwatch()
import implicit
from implicit.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix

stopwatch.lap("import")

options = arguments(threads={"type": int, "default": 2})
users, items, ratings = read(options.train)
test_users, test_items, _ = read(options.test)
users, _, user_count = rows(users, test_users)
items, _, item_count = rows(items, test_items)
stopwatch.lap("read")

table = csr_matrix((ratings, (users, items)), shape=(user_count, item_count))
model = AlternatingLeastSquares(factors=50, num_threads=options.threads, random_state=options.seed)
stopwatch.lap("build")

model.fit(table, show_progress=False)
stopwatch.lap("train")
report("implicit", implicit.__version__, stopwatch, None, options, threads=options.threads, epochs=model.iterations)
