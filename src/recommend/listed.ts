import type { ItemRating, Recommended } from './answers.ts';

/** Rounds a float32 to its seven significant digits: 3.912, not 3.9119999408721924. */
export const decimal = (float: number): number => Number(float.toPrecision(7));

/** A recommended item with its predicted rating or, where there is none, its score. */
export const rated = ({ item, score, rating = score }: Recommended): ItemRating => ({ item, rating });

/** Adds titles to a list of items, and rounds the number called `name`. */
export function listed<Name extends string>(
  titles: ReadonlyMap<string, string>,
  items: readonly ({ readonly item: string } & Readonly<Record<Name, number>>)[],
  name: Name,
): ({ item: string; title?: string } & Record<Name, number>)[] {
  return items.map((one) => {
    const title = titles.get(one.item);
    const number = { [name]: decimal(one[name]) } as Record<Name, number>;
    return { item: one.item, ...(title !== undefined && { title }), ...number };
  });
}
