import { UserError } from '../errors.ts';

/**
 * Version of the manifest and of the files that it lists. This version and all older ones are read; a newer one is
 * refused. A change that an older reader would misunderstand gets the next number, an entry in `UPGRADES`, and a model
 * of the old format in `test/support/artifacts`.
 */
export const FORMAT = 4;

type Json = Readonly<Record<string, unknown>>;

/** One function for each format from 1 on, which turns a manifest into one of the next format. */
const UPGRADES: readonly ((manifest: Json) => Json)[] = [
  // To format 2: some choices were renamed.
  ({ model, training, ...others }) => {
    return {
      ...others,
      model: isObject(model) ? { ...model, config: renamed(model.config, { spread: 'initialStd' }) } : model,
      training: renamed(training, { batch: 'batchSize', lazy: 'sparseUpdates' }),
    };
  },
  // To format 3: a model is trained to predict ratings, to rank, or both.
  ({ training, ...others }) => ({
    ...others,
    training: isObject(training) ? { objective: 'rating', ...training } : training,
  }),
  // To format 4: there are interactions without ratings, and `items.json` has `count` in place of `ratings`.
  ({ data, ...others }) => ({ ...others, data: isObject(data) ? { kind: 'ratings', ...data } : data }),
];

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Renames keys of an object; anything else is left to the schema. */
const renamed = (from: unknown, names: Readonly<Record<string, string>>): unknown =>
  isObject(from)
    ? Object.fromEntries(Object.entries(from).map(([name, value]) => [names[name] ?? name, value]))
    : from;

/**
 * Turns a manifest of an older format into one of the current format. Other JSON is returned unchanged, for the schema to
 * refuse.
 *
 * @param source its path or address, for messages
 * @throws UserError for a newer format
 */
export function upgraded(json: unknown, source: string): unknown {
  if (!isObject(json)) return json;
  const { format } = json;
  if (typeof format !== 'number' || !Number.isInteger(format) || format < 1) return json;
  if (format > FORMAT)
    throw new UserError(
      'model',
      `${source}: has format ${format}, and this version of cofactor reads formats up to ${FORMAT}; install a newer version`,
    );
  const current = UPGRADES.slice(format - 1).reduce((manifest, upgrade) => upgrade(manifest), json);
  return { ...current, format: FORMAT };
}
