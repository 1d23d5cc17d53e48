"""A bare PyTorch loop for millions of ratings: sparse gradients, large batches, no DataLoader.

SparseAdam reached a lower RMSE than sparse Adagrad in as many epochs on the synthetic ratings, and batches of 16,384 took
less time than smaller ones. Neither optimizer has a weight decay, so the loss has the squares of a batch's rows in it.
"""

from ratings import Stopwatch, arguments, read, report, rmse, rows

stopwatch = Stopwatch()
import torch
from torch import nn

stopwatch.lap("import")

FACTORS, LEARNING_RATE, L2, LOWEST, HIGHEST = 50, 0.02, 0.04, 0, 5.5

options = arguments(
    threads={"type": int, "default": 2}, epochs={"type": int, "default": 2}, batch={"type": int, "default": 16_384}
)
torch.set_num_threads(options.threads)
torch.manual_seed(options.seed)


class DotBias(nn.Module):
    def __init__(self, users, items, mean):
        super().__init__()
        # The bias is a row's last number, so that a step updates two tables and not four.
        self.user, self.item = (nn.Embedding(rows, FACTORS + 1, sparse=True) for rows in (users, items))
        for table in self.parameters():
            nn.init.normal_(table, std=0.01)
            # Of ids that training never saw.
            table.data[0] = 0
        self.offset = torch.logit((mean - LOWEST) / (HIGHEST - LOWEST))

    def forward(self, user, item):
        user, item = self.user(user), self.item(item)
        match = (user[:, :FACTORS] * item[:, :FACTORS]).sum(1) + user[:, FACTORS] + item[:, FACTORS]
        squares = (user.square().sum() + item.square().sum()) / len(match)
        return LOWEST + (HIGHEST - LOWEST) * torch.sigmoid(match + self.offset), squares


train_users, train_items, train_ratings = read(options.train)
test_users, test_items, test_ratings = read(options.test)
train_users, test_users, users = rows(train_users, test_users)
train_items, test_items, items = rows(train_items, test_items)
user, item, rating = map(torch.from_numpy, (train_users, train_items, train_ratings))
stopwatch.lap("read")

model = DotBias(users, items, rating.mean())
optimizer = torch.optim.SparseAdam(model.parameters(), lr=LEARNING_RATE)
steps = options.epochs * -(-len(rating) // options.batch)
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
stopwatch.lap("build")

for epoch in range(options.epochs):
    order = torch.randperm(len(rating))
    batches = zip(*(column[order].split(options.batch) for column in (user, item, rating)))
    for batch_user, batch_item, batch_rating in batches:
        predicted, squares = model(batch_user, batch_item)
        loss = nn.functional.mse_loss(predicted, batch_rating) + L2 * squares
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
stopwatch.lap("train")

with torch.inference_mode():
    predictions = model(torch.from_numpy(test_users), torch.from_numpy(test_items))[0].numpy()
error = rmse(predictions, test_ratings)
report("torch", torch.__version__, stopwatch, error, options, threads=options.threads, epochs=options.epochs)
