// The main job, start to end: trains both models on the sample data with a fifth of the ratings held out, compares
// them, and predicts and recommends from the files that it wrote.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dotBias, load, mlp, randomSplit, readItems, readRatings, train } from '../src/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const sample = join(root, 'src/data/sample/ml-latest-small');
const user = '414';
const film = 'Pulp Fiction (1994)';

const ratings = await readRatings(join(sample, 'ratings.csv.gz'));
const { titles } = await readItems(join(sample, 'movies.csv.gz'));
const split = randomSplit(ratings, 0.2, 1);
console.log(
  `MovieLens latest-small: ${split.train.ratings.length} ratings to train on, ${split.valid.ratings.length} held out`,
);

const [item] = Array.from(titles).find(([, title]) => title === film) ?? [film];
for (const [name, definition] of Object.entries({ 'dot-bias': dotBias(), mlp: mlp() })) {
  const model = await train(split.train, definition, { titles, keepSeen: true });
  const { rmse, mae } = await model.evaluate(split.valid);
  const folder = join('artifacts', `quickstart-${name}`);
  await model.save(join(root, folder));
  console.log(
    `\n${name}: RMSE ${rmse.toFixed(4)}, MAE ${mae.toFixed(4)} on the held-out fifth; trained in ${model.seconds.train.toFixed(1)} s`,
  );

  const recommender = await load(join(root, folder));
  const [predicted] = await recommender.predict([user], [item]);
  const [recommended] = await recommender.recommend([user], { k: 3 });
  const [similar] = await recommender.similar([item], { k: 3 });
  const list = (found: readonly { item: string }[]): string =>
    found.map((one) => recommender.titles.get(one.item) ?? one.item).join(' · ');
  console.log(`  user ${user} would rate ${film}: ${predicted.toFixed(1)}`);
  console.log(`  and would like most: ${list(recommended)}`);
  console.log(`  most like ${film}: ${list(similar)}`);
  console.log(`  files: ${folder}`);
}
