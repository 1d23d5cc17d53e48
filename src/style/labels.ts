/** A circle, in pixels. */
export interface Dot {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const SIDES = ['top', 'bottom', 'right', 'left'] as const;

/** Where a label is beside its dot. */
export type Side = (typeof SIDES)[number];

export interface LabelRoom {
  readonly dots: readonly Dot[];
  /** What labels must be within. */
  readonly within: Box;
  /** At most so many labels are placed. */
  readonly most: number;
  /** Height of a label. */
  readonly height: number;
  /** The width of a dot's label; undefined for a dot without one. */
  widthOf(dot: number): number | undefined;
}

/** Distance of a label from its dot. */
export const DISTANCE = 2;
/** Room between labels beside and above one another, so that two do not read as one. */
const BETWEEN = { x: 6, y: 5 };

/**
 * Places the labels of dots so that none covers a dot or another label. Earlier dots come first.
 *
 * @returns the side of each label that has room, by dot
 */
export function placeLabels({ dots, within, most, height, widthOf }: LabelRoom): Map<number, Side> {
  const near = cellsOf(dots);
  const boxes: Box[] = [];
  const placed = new Map<number, Side>();
  const isFree = (box: Box, own: number): boolean =>
    box.left >= within.left &&
    box.right <= within.right &&
    box.top >= within.top &&
    box.bottom <= within.bottom &&
    !boxes.some((other) => overlap(box, other)) &&
    !near(box).some((at) => at !== own && covers(box, dots[at]));
  for (const [at, dot] of dots.entries()) {
    if (placed.size >= most) break;
    const width = widthOf(at);
    if (width === undefined) continue;
    for (const side of SIDES) {
      const box = boxAt(dot, side, width, height);
      if (!isFree(box, at)) continue;
      boxes.push(box);
      placed.set(at, side);
      break;
    }
  }
  return placed;
}

function boxAt({ x, y, radius }: Dot, side: Side, width: number, height: number): Box {
  const away = radius + DISTANCE;
  const left = { top: x - width / 2, bottom: x - width / 2, right: x + away, left: x - away - width }[side];
  const top = { top: y - away - height, bottom: y + away, right: y - height / 2, left: y - height / 2 }[side];
  return { left, right: left + width, top, bottom: top + height };
}

const overlap = (one: Box, other: Box): boolean =>
  one.left < other.right + BETWEEN.x &&
  other.left < one.right + BETWEEN.x &&
  one.top < other.bottom + BETWEEN.y &&
  other.top < one.bottom + BETWEEN.y;

/** Whether a box covers a part of a circle. */
const covers = ({ left, right, top, bottom }: Box, { x, y, radius }: Dot): boolean =>
  Math.hypot(x - Math.min(right, Math.max(left, x)), y - Math.min(bottom, Math.max(top, y))) < radius;

const CELL = 64;

/** Finds the dots that a box could cover, without a look at all. */
function cellsOf(dots: readonly Dot[]): (box: Box) => number[] {
  const cells = new Map<string, number[]>();
  const largest = dots.reduce((most, { radius }) => Math.max(most, radius), 0);
  const cell = (value: number): number => Math.floor(value / CELL);
  for (const [at, { x, y }] of dots.entries()) {
    const key = `${cell(x)} ${cell(y)}`;
    const held = cells.get(key);
    if (held) held.push(at);
    else cells.set(key, [at]);
  }
  return ({ left, right, top, bottom }) => {
    const found: number[] = [];
    for (let column = cell(left - largest); column <= cell(right + largest); column++)
      for (let row = cell(top - largest); row <= cell(bottom + largest); row++)
        found.push(...(cells.get(`${column} ${row}`) ?? []));
    return found;
  };
}
