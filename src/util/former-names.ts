/** Names that options and choices had before, and their names now. */
const FORMER: Readonly<Record<string, string>> = {
  batch: 'batchSize',
  spread: 'initialStd',
  lazy: 'sparseUpdates',
  ratingsARun: 'ratingsPerRun',
  rating: 'ratingColumn',
  user: 'userColumn',
  item: 'itemColumn',
  time: 'timeColumn',
  keepSeen: 'seen',
};

/** The name that an option or a choice has now; undefined if there was none of this name, or if `names` lacks it. */
export const nameNow = (former: string, names: readonly string[]): string | undefined =>
  names.find((name) => name === FORMER[former]);

/** What to say about a name that there is not: its name now, or the names that there are. */
export function insteadOf(name: string, names: readonly string[], noun: string): string {
  const now = nameNow(name, names);
  return now === undefined ? `the ${noun}s are ${names.join(', ')}` : `it is called ${now} now`;
}
