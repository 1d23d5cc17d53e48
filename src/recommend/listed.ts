/** As a decimal, what a float says: 3.912, not 3.9119999408721924. */
export const decimal = (float: number): number => Number(float.toPrecision(7));

/** Items as people read them: with their titles, where there are some, and the number called `name` as a decimal. */
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
