import type { BuiltInModel } from './built-in.ts';
import { dotBiasModel } from './dot-bias.ts';
import { mlpModel } from './mlp.ts';

/** The models that come with the package, by name. The first is the default. */
export const models = { 'dot-bias': dotBiasModel, mlp: mlpModel } satisfies Record<string, BuiltInModel>;

export type ModelName = keyof typeof models;

export const modelNames = Object.keys(models) as ModelName[];

/** The built-in model with that name; undefined for a model of your own. */
export const builtIn = (name: string): BuiltInModel | undefined =>
  Object.hasOwn(models, name) ? models[name as ModelName] : undefined;
