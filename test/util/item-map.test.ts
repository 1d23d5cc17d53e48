import { expect, test } from 'vitest';
import { ENDS, furthest, headingOf, itemMap } from '../../src/util/item-map.ts';
import { generator, uniform } from '../../src/util/random.ts';
import { readableTitle } from '../../src/util/titles.ts';

interface Film {
  readonly name: string;
  readonly count: number;
  readonly genres?: readonly string[];
  readonly year?: string;
}

/** Films of two genres at the ends of the first factor, and of two decades at those of the second. */
function films(told: boolean): { items: Film[]; data: Float32Array } {
  const random = generator(3);
  const items: Film[] = [];
  const data: number[] = [];
  for (let at = 0; at < 200; at++) {
    const [isHorror, isOld] = [uniform(random) < 0.5, uniform(random) < 0.5];
    data.push(
      (isHorror ? 3 : -3) + uniform(random),
      (isOld ? 1 : -1) + uniform(random),
      uniform(random) / 10,
    );
    items.push({
      name: `${isHorror ? 'horror' : 'romance'} ${at}`,
      // Romances and new films are better known.
      count: 1000 - at - (isHorror ? 300 : 0) - (isOld ? 100 : 0),
      ...(told && { genres: [isHorror ? 'Horror' : 'Romance', 'Drama'], year: isOld ? '1972' : '2004' }),
    });
  }
  const order = items.map((_, at) => at).sort((one, other) => items[other].count - items[one].count);
  return {
    items: order.map((at) => items[at]),
    data: Float32Array.from(order.flatMap((at) => data.slice(at * 3, at * 3 + 3))),
  };
}

async function mapOf(told: boolean, sign = 1) {
  const { items, data } = films(told);
  const factors = { item_factors: { dims: [items.length, 3], data: data.map((value) => value * sign) } };
  const map = await itemMap(items, factors, { wellKnown: items.length, featuresOf: (film) => film });
  if (!map) throw new Error('no map');
  return map;
}

test('genres and decades that separate the ends of an axis name them', async () => {
  const map = await mapOf(true);
  expect(map.words).toEqual({ left: ['Horror'], right: ['Romance'], top: ['2000s'], bottom: ['1970s'] });
  expect(ENDS.map((end) => headingOf(end, map))).toEqual([
    'At the left: Horror',
    'At the right: Romance',
    'At the top: 2000s',
    'At the bottom: 1970s',
  ]);
  for (const { name } of furthest(map, ENDS[0], 6)) expect(name).toMatch(/^horror/);
});

test('the better-known items are to the right and up, whatever the sign of the factors', async () => {
  const [map, mirrored] = await Promise.all([mapOf(true), mapOf(true, -1)]);
  expect(mirrored.words).toEqual(map.words);
  for (const [
    at,
    {
      at: [x, y],
    },
  ] of map.points.entries()) {
    expect(mirrored.points[at].at[0]).toBeCloseTo(x, 3);
    expect(mirrored.points[at].at[1]).toBeCloseTo(y, 3);
  }
});

test('without genres and years the ends have their items alone', async () => {
  const map = await mapOf(false);
  expect(map.words).toEqual({ left: [], right: [], top: [], bottom: [] });
  expect(headingOf(ENDS[0], map)).toBe('At the left');
});

test('titles are read as people write them', () => {
  expect(readableTitle('Matrix, The (1999)')).toEqual({
    name: 'The Matrix',
    year: '1999',
    title: 'The Matrix (1999)',
  });
  expect(readableTitle('Green tea, 250 g')).toEqual({ name: 'Green tea, 250 g', title: 'Green tea, 250 g' });
});
