// The main job, start to end: trains both models on the sample data with a fifth of the ratings held out, compares
// them, and predicts a few ratings from the files that it wrote.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dotBias, load, mlp, randomSplit, readRatings, readTitles, train } from '../src/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const sample = join(root, 'src/data/sample/ml-latest-small');
const user = '414';
const films = [
  'Toy Story (1995)',
  'Pulp Fiction (1994)',
  'Spirited Away (Sen to Chihiro no kamikakushi) (2001)',
  'Batman & Robin (1997)',
];

const ratings = await readRatings(join(sample, 'ratings.csv.gz'));
const titles = await readTitles(join(sample, 'movies.csv.gz'));
const split = randomSplit(ratings, 0.2, 1);
console.log(
  `MovieLens latest-small: ${split.train.ratings.length} ratings to train on, ${split.valid.ratings.length} held out`,
);

const itemOf = new Map(Array.from(titles, ([id, title]) => [title, id]));
for (const [name, definition] of Object.entries({ 'dot-bias': dotBias(), mlp: mlp() })) {
  const model = await train(split.train, definition);
  const { rmse, mae } = await model.evaluate(split.valid);
  const folder = join('artifacts', `quickstart-${name}`);
  await model.save(join(root, folder));
  console.log(
    `\n${name}: RMSE ${rmse.toFixed(4)}, MAE ${mae.toFixed(4)} on the held-out fifth; trained in ${model.seconds.train.toFixed(1)} s`,
  );

  const recommender = await load(join(root, folder));
  const items = films.map((title) => itemOf.get(title) ?? title);
  const predictions = await recommender.predict(
    films.map(() => user),
    items,
  );
  for (const [place, title] of films.entries()) {
    console.log(`  user ${user} would rate ${title}: ${predictions[place].toFixed(1)}`);
  }
  console.log(`  files: ${join(folder, 'predict.onnx')} and manifest.json`);
}
