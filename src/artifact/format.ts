import { UserError } from '../errors.ts';

/**
 * Version of the manifest and of the files that it lists. This version and all older ones are read; a newer one is
 * refused. A change that an older reader would misunderstand gets the next number, an entry in `UPGRADES`, and a model
 * of the old format in `test/support/artifacts`.
 */
export const FORMAT = 2;

type Json = Readonly<Record<string, unknown>>;

/** One function for each format from 1 on, which turns a manifest into one of the next format. */
const UPGRADES: readonly ((manifest: Json) => Json)[] = [
  // To format 2: some choices were renamed.
  ({ model, training, ...others }) => {
    const { config, ...named } = model as { config: Json };
    return {
      ...others,
      model: { ...named, config: renamed(config, { spread: 'initialStd' }) },
      training: renamed(training as Json, { batch: 'batchSize', lazy: 'sparseUpdates' }),
    };
  },
];

const renamed = (from: Json, names: Readonly<Record<string, string>>): Json =>
  Object.fromEntries(Object.entries(from).map(([name, value]) => [names[name] ?? name, value]));

/**
 * Turns a manifest of an older format into one of the current format. Other JSON is returned unchanged, for the schema to
 * refuse.
 *
 * @param source its path or address, for messages
 * @throws UserError for a newer format
 */
export function upgraded(json: unknown, source: string): unknown {
  const { format } = (json ?? {}) as { format?: unknown };
  if (typeof format !== 'number' || !Number.isInteger(format) || format < 1) return json;
  if (format > FORMAT)
    throw new UserError(
      'model',
      `${source}: has format ${format}, and this version of cofactor reads formats up to ${FORMAT}; install a newer version`,
    );
  try {
    const current = UPGRADES.slice(format - 1).reduce((manifest, upgrade) => upgrade(manifest), json as Json);
    return { ...current, format: FORMAT };
  } catch {
    return json;
  }
}
