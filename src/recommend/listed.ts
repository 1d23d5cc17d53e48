/** Rounds a float32 to its seven significant digits: 3.912, not 3.9119999408721924. */
export const decimal = (float: number): number => Number(float.toPrecision(7));

/** Adds titles to a list of items, and rounds its numbers. */
export function listed<Listed extends { readonly item: string }>(
  titles: ReadonlyMap<string, string>,
  items: readonly Listed[],
): (Listed & { title?: string })[] {
  return items.map(({ item, ...numbers }) => {
    const title = titles.get(item);
    const rounded = Object.entries(numbers).map(([name, number]) => [name, decimal(number as number)]);
    return { item, ...(title !== undefined && { title }), ...Object.fromEntries(rounded) };
  });
}
