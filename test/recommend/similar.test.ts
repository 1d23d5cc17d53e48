import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { readItems } from '../../src/data/read/items.ts';
import { readRatings } from '../../src/data/read/read.ts';
import type { Recommender } from '../../src/recommend/recommender.ts';
import { train } from '../../src/train/train.ts';
import { sample } from '../support/files.ts';

/** Films of a series, of which each has five ratings or more, by their ids in MovieLens. */
const SERIES: Readonly<Record<string, readonly number[]>> = {
  'Toy Story': [1, 3114, 78499],
  'Star Wars': [260, 1196, 1210],
  'Star Wars, the later trilogy': [2628, 5378, 33493],
  'The Godfather': [858, 1221],
  'The Lord of the Rings': [4993, 5952, 7153],
  'The Matrix': [2571, 6365, 6934],
  'Harry Potter': [4896, 5816, 8368, 40815, 54001],
  Alien: [1214, 1200, 1320],
  'Indiana Jones': [1198, 2115, 1291],
  'The Terminator': [1240, 589],
  'Back to the Future': [1270, 2011, 2012],
  'Die Hard': [1036, 1370, 165],
  'Lethal Weapon': [2000, 2001, 2002],
  'Home Alone': [586, 2953],
  'Jurassic Park': [480, 1544],
  Batman: [592, 1377, 153],
  'Batman, the later trilogy': [33794, 58559, 91529],
  'X-Men': [3793, 6333, 45499],
  'Spider-Man': [5349, 8636, 52722],
  Shrek: [4306, 8360],
  'Pirates of the Caribbean': [6539, 45722, 53125],
  'Jason Bourne': [5418, 8665, 54286],
  'Mission: Impossible': [648, 3623, 45186],
  Rocky: [1954, 2409, 2410],
  'Star Trek': [1374, 1375, 1376, 1372],
  'Men in Black': [1580, 5459],
  Scream: [1407, 1717, 3273],
  'Kill Bill': [6874, 7438],
  'Austin Powers': [1517, 2683, 5481],
  Ghostbusters: [2716, 2717],
  'Ace Ventura': [344, 19],
  'The Naked Gun': [370, 3868],
  'Mad Max': [3702, 3703, 3704],
  'Wallace & Gromit': [1148, 745],
  'Three Colours': [306, 307, 308],
  'Before Sunrise': [215, 8638],
  'The Karate Kid': [2420, 2421],
  'Iron Man': [59315, 77561],
  'The Hunger Games': [91500, 106487],
  'The Hobbit': [98809, 106489],
  'Evil Dead': [4105, 1261],
  'Kung Fu Panda': [59784, 87222],
};

let recommender: Recommender;
let titles: ReadonlyMap<string, string>;
beforeAll(async () => {
  ({ titles } = await readItems(join(sample, 'movies.csv.gz')));
  const { ratings } = await readRatings(join(sample, 'ratings.csv.gz'));
  recommender = await (await train(ratings, { objective: 'ranking' })).recommender();
});

test('films of a series are similar to each other', async () => {
  const ids = Object.values(SERIES).flat().map(String);
  const similar = await recommender.similar(ids, { k: 10 });
  const nearest = new Map(ids.map((id, at) => [id, similar[at].map(({ item }) => item)]));
  const found = Object.values(SERIES).flatMap((series) =>
    series.flatMap((one) =>
      series
        .filter((other) => other !== one)
        .map((other) => nearest.get(String(one))?.includes(String(other))),
    ),
  );
  // By chance it is 0.001.
  expect(found.filter(Boolean).length / found.length).toBeGreaterThan(0.65);
});

test.each([
  ['Toy Story (1995)', 'Toy Story 2 (1999)'],
  ['Star Wars: Episode IV - A New Hope (1977)', 'Star Wars: Episode V - The Empire Strikes Back (1980)'],
  ['Godfather, The (1972)', 'Godfather: Part II, The (1974)'],
  ['Alien (1979)', 'Aliens (1986)'],
  ['Kill Bill: Vol. 1 (2003)', 'Kill Bill: Vol. 2 (2004)'],
])('the three films most similar to %s have %s', async (film, sequel) => {
  const id = [...titles].find(([, title]) => title === film)?.[0] as string;
  const similar = await recommender.similar(id, { k: 3 });
  expect(similar.map(({ item }) => titles.get(item))).toContain(sequel);
});
