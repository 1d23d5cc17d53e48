"""fastai's own collaborative filtering with its own loop, on the same split."""

import warnings

from ratings import Stopwatch, arguments, read, report, rmse

stopwatch = Stopwatch()
warnings.simplefilter("ignore")
import fastai
import pandas as pd
import torch
from fastai.collab import CollabDataLoaders, collab_learner
from fastai.tabular.core import TabDataLoader, TabWeightedDL

stopwatch.lap("import")

# Since 2.7.15 fastai draws the rows of a table with replacement by default: an epoch then sees about 63 %
# of the ratings. The plain loader shuffles, as every other row of this benchmark does.
SAMPLING = {"weighted": TabWeightedDL, "shuffled": TabDataLoader}

options = arguments(sampling={"choices": SAMPLING, "default": "weighted"})
torch.manual_seed(options.seed)


def table(path):
    return pd.DataFrame(dict(zip(("user", "item", "rating"), read(path))))


train, test = table(options.train), table(options.test)
# No rating of the training file is held back.
data = CollabDataLoaders.from_df(train, valid_pct=0, bs=64, seed=options.seed, dl_type=SAMPLING[options.sampling])
stopwatch.lap("read")

learner = collab_learner(data, n_factors=50, y_range=(0, 5.5))
stopwatch.lap("build")

with learner.no_bar(), learner.no_logging():
    learner.fit_one_cycle(5, 5e-3, wd=0.1)
    stopwatch.lap("train")
    predictions, ratings = learner.get_preds(dl=data.test_dl(test, with_labels=True))
error = rmse(predictions.flatten(), ratings.flatten().numpy())
report("fastai", fastai.__version__, stopwatch, error, options, threads=torch.get_num_threads(), epochs=5)
