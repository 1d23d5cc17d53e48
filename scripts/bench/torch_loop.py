"""The recipe of cofactor's dot-bias model as a bare PyTorch loop: tensors sliced by shuffled indices, no DataLoader."""

from ratings import Stopwatch, arguments, read, report, rmse, rows

stopwatch = Stopwatch()
import torch
from torch import nn

stopwatch.lap("import")

FACTORS, LEARNING_RATE, WEIGHT_DECAY, HIGHEST = 50, 5e-3, 0.1, 5.5
# What AdamW updates the parameters with: one operator after another for each (PyTorch's default on a CPU), one call
# of each operator for all parameters, or one kernel for everything.
OPTIMIZERS = {"default": {}, "foreach": {"foreach": True}, "fused": {"fused": True}}

options = arguments(
    threads={"type": int, "default": 1},
    optimizer={"choices": OPTIMIZERS, "default": "default"},
    epochs={"type": int, "default": 5},
    batch={"type": int, "default": 64},
    device={"default": "cpu"},
)
torch.set_num_threads(options.threads)
torch.manual_seed(options.seed)


class DotBias(nn.Module):
    def __init__(self, users, items):
        super().__init__()
        self.user_factors, self.item_factors = nn.Embedding(users, FACTORS), nn.Embedding(items, FACTORS)
        self.user_bias, self.item_bias = nn.Embedding(users, 1), nn.Embedding(items, 1)
        for table in self.parameters():
            nn.init.normal_(table, std=0.01)

    def forward(self, user, item):
        match = (self.user_factors(user) * self.item_factors(item)).sum(1)
        return torch.sigmoid(match + self.user_bias(user)[:, 0] + self.item_bias(item)[:, 0]) * HIGHEST


train_users, train_items, train_ratings = read(options.train)
test_users, test_items, test_ratings = read(options.test)
train_users, test_users, users = rows(train_users, test_users)
train_items, test_items, items = rows(train_items, test_items)
user, item, rating = (torch.from_numpy(column).to(options.device) for column in (train_users, train_items, train_ratings))
stopwatch.lap("read")

model = DotBias(users, items).to(options.device)
optimizer = torch.optim.AdamW(
    model.parameters(), betas=(0.9, 0.99), eps=1e-5, weight_decay=WEIGHT_DECAY, **OPTIMIZERS[options.optimizer]
)
# fastai's one-cycle: from 1/25 of the peak up over a quarter of the steps, then down to 1e-5 of it (PyTorch counts
# the last factor from the first rate); momentum the other way.
schedule = torch.optim.lr_scheduler.OneCycleLR(
    optimizer, max_lr=LEARNING_RATE, total_steps=options.epochs * -(-len(rating) // options.batch), pct_start=0.25,
    div_factor=25, final_div_factor=1e5 / 25, base_momentum=0.85, max_momentum=0.95,
)
stopwatch.lap("build")

for epoch in range(options.epochs):
    order = torch.randperm(len(rating), device=options.device)
    batches = zip(*(column[order].split(options.batch) for column in (user, item, rating)))
    for batch_user, batch_item, batch_rating in batches:
        loss = nn.functional.mse_loss(model(batch_user, batch_item), batch_rating)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
if options.device == "cuda":
    torch.cuda.synchronize()
stopwatch.lap("train")

with torch.inference_mode():
    test = (torch.from_numpy(rows).to(options.device) for rows in (test_users, test_items))
    predictions = model(*test).cpu().numpy()
error = rmse(predictions, test_ratings)
report("torch", torch.__version__, stopwatch, error, options, threads=options.threads, epochs=options.epochs)
