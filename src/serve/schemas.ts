/** A JSON Schema. */
export type Schema = Readonly<Record<string, unknown>>;

export const text = { type: 'string' };

/** In a query. */
export const model = { type: 'string', description: 'Name of a served folder. Default: the first' };

export const list = (items: Schema): Schema => ({ type: 'array', items });

/** An object that may have other properties, too. */
export const open = (
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[] = [],
): Schema => ({
  type: 'object',
  properties,
  required,
});

/** An object without other properties. @param required Default: all properties */
export const object = (
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[] = Object.keys(properties),
): Schema => ({ ...open(properties, required), additionalProperties: false });

/** The parameters of a path, which are text. */
export const paramsOf = (path: string): Schema => ({
  type: 'object',
  properties: Object.fromEntries([...path.matchAll(/:(\w+)/g)].map(([, name]) => [name, text])),
});
