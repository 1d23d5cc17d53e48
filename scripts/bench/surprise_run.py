"""Surprise's SVD, factors with biases, with its own settings apart from the number of factors."""

from ratings import Stopwatch, arguments, read, report, rmse

stopwatch = Stopwatch()
import pandas as pd
import surprise

stopwatch.lap("import")

options = arguments()
train, test = (pd.DataFrame(dict(zip(("user", "item", "rating"), read(path)))) for path in (options.train, options.test))
stopwatch.lap("read")

scale = (float(train.rating.min()), float(train.rating.max()))
ratings = surprise.Dataset.load_from_df(train, surprise.Reader(rating_scale=scale)).build_full_trainset()
model = surprise.SVD(n_factors=50, random_state=options.seed)
stopwatch.lap("build")

model.fit(ratings)
stopwatch.lap("train")

predictions = [prediction.est for prediction in model.test(list(test.itertuples(index=False, name=None)))]
error = rmse(predictions, test.rating.to_numpy())
report("surprise", surprise.__version__, stopwatch, error, options, threads=1, epochs=model.n_epochs)
