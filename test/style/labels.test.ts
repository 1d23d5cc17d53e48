import { expect, test } from 'vitest';
import { labelsOf } from '../../src/style/item-map.ts';
import { DISTANCE, type Dot, placeLabels, type Side } from '../../src/style/labels.ts';
import { generator, uniform } from '../../src/util/random.ts';

const WIDTH = 60;
const HEIGHT = 14;

interface Box {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

function boxOf({ x, y, radius }: Dot, side: Side): Box {
  const away = radius + DISTANCE;
  const [left, top] = {
    top: [x - WIDTH / 2, y - away - HEIGHT],
    bottom: [x - WIDTH / 2, y + away],
    right: [x + away, y - HEIGHT / 2],
    left: [x - away - WIDTH, y - HEIGHT / 2],
  }[side];
  return { x: [left, left + WIDTH], y: [top, top + HEIGHT] };
}

const within = (value: number, [low, high]: readonly [number, number]) =>
  Math.min(high, Math.max(low, value));

function place(size: readonly [number, number], number: number, most = 1000) {
  const random = generator(1);
  const dots = Array.from({ length: number }, (_, at) => ({
    x: uniform(random) * size[0],
    y: uniform(random) * size[1],
    radius: 2 + (at % 7),
  }));
  const edges = { left: 0, top: 0, right: size[0], bottom: size[1] };
  const placed = placeLabels({ dots, within: edges, most, height: HEIGHT, widthOf: () => WIDTH });
  return { dots, boxes: [...placed].map(([at, side]) => ({ at, ...boxOf(dots[at], side) })), placed };
}

test('no label covers a dot or another label, or leaves the chart', () => {
  const { dots, boxes } = place([900, 600], 400);
  expect(boxes.length).toBeGreaterThan(30);
  for (const { at, x, y } of boxes) {
    expect([x[0] >= 0, x[1] <= 900, y[0] >= 0, y[1] <= 600]).not.toContain(false);
    const covered = dots.filter(
      (dot, other) =>
        other !== at && Math.hypot(dot.x - within(dot.x, x), dot.y - within(dot.y, y)) < dot.radius,
    );
    expect(covered).toEqual([]);
    const crossed = boxes.filter(
      (other) =>
        other.at !== at && x[0] < other.x[1] && other.x[0] < x[1] && y[0] < other.y[1] && other.y[0] < y[1],
    );
    expect(crossed).toEqual([]);
  }
});

test('the first dots have their labels first, and only so many have one', () => {
  const { placed } = place([900, 600], 20, 3);
  expect([...placed.keys()]).toEqual([0, 1, 2]);
});

test('a phone has fewer labels, and only what is seen has one', () => {
  const random = generator(2);
  const dots = Array.from({ length: 150 }, (_, at) => ({
    at: [uniform(random), uniform(random)] as const,
    size: 6,
    name: `item ${at}`,
  }));
  const words = { left: [], right: [], top: [], bottom: [] };
  const chart = { words, dots, widthOf: (text: string) => text.length * 6 };
  const all = [[0, 1] as const, [0, 1] as const] as const;
  const wide = labelsOf({ ...chart, size: [1200, 640], seen: all });
  const narrow = labelsOf({ ...chart, size: [350, 416], seen: all });
  expect(narrow.length).toBeGreaterThan(5);
  expect(narrow.length).toBeLessThan(wide.length / 2);
  const zoomed = labelsOf({
    ...chart,
    size: [1200, 640],
    seen: [
      [0.25, 0.5],
      [0.25, 0.5],
    ],
  });
  expect(zoomed.length).toBeGreaterThan(0);
  for (const { value } of zoomed)
    for (const one of value) expect(one).toSatisfy((at: number) => at >= 0.25 && at <= 0.5);
});
