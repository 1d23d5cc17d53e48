// The main job, start to end: trains both models on the sample data with a fifth of the ratings held out, compares
// them, and predicts and recommends from the files that it wrote.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { load, readItems, readRatings, train } from '../src/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const sample = join(root, 'src/data/sample/ml-latest-small');
const user = '414';
const film = 'Pulp Fiction (1994)';

const { ratings, valid } = await readRatings(join(sample, 'ratings.csv.gz'), { valid: 0.2 });
if (!valid) throw new Error('nothing was held out');
const { titles } = await readItems(join(sample, 'movies.csv.gz'));
console.log(
  `MovieLens latest-small: ${ratings.facts.ratings} ratings to train on, ${valid.facts.ratings} held out`,
);

const [item] = Array.from(titles).find(([, title]) => title === film) ?? [film];
for (const name of ['dot-bias', 'mlp'] as const) {
  const fitted = await train(ratings, { model: name });
  const { rmse, mae } = await fitted.errors(valid);
  const folder = join('artifacts', `quickstart-${name}`);
  await fitted.save(join(root, folder), { titles, seen: true });
  console.log(
    `\n${name}: RMSE ${rmse.toFixed(4)}, MAE ${mae.toFixed(4)} on the held-out fifth; trained in ${fitted.seconds.train.toFixed(1)} s`,
  );

  const recommender = await load(join(root, folder));
  const predicted = await recommender.predict(user, item);
  const recommended = await recommender.recommend(user, { k: 3 });
  const similar = await recommender.similar(item, { k: 3 });
  const list = (found: readonly { item: string }[]): string =>
    found.map((one) => recommender.titles.get(one.item) ?? one.item).join(' · ');
  console.log(`  user ${user} would rate ${film}: ${predicted.toFixed(1)}`);
  console.log(`  and would like most: ${list(recommended)}`);
  console.log(`  most like ${film}: ${list(similar)}`);
  console.log(`  files: ${folder}`);
}
