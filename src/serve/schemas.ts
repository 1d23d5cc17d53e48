/** JSON Schema, as far as the endpoints need it. */
export type Schema = Readonly<Record<string, unknown>>;

export const text = { type: 'string' };

export const list = (items: Schema): Schema => ({ type: 'array', items });

/** An object that may have more than what is told here. */
export const open = (
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[] = [],
): Schema => ({
  type: 'object',
  properties,
  required,
});

/** @param required Default: all. */
export const object = (
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[] = Object.keys(properties),
): Schema => ({ ...open(properties, required), additionalProperties: false });

/** The parameters of a path, which are texts. */
export const paramsOf = (path: string): Schema => ({
  type: 'object',
  properties: Object.fromEntries([...path.matchAll(/:(\w+)/g)].map(([, name]) => [name, text])),
});
