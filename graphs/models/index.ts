import type { BuiltInModel, SolvedModel } from './built-in.ts';
import { dotBiasModel } from './dot-bias.ts';
import { itemItemModel } from './item-item.ts';
import { mlpModel } from './mlp.ts';

/** The models that come with the package, by name. The first is the default. */
export const models = {
  'dot-bias': dotBiasModel,
  mlp: mlpModel,
  'item-item': itemItemModel,
} satisfies Record<string, BuiltInModel | SolvedModel>;

export type ModelName = keyof typeof models;

export const modelNames = Object.keys(models) as ModelName[];

/** The built-in model with that name; undefined for a model of your own. */
export const builtIn = (name: string): BuiltInModel | SolvedModel | undefined =>
  Object.hasOwn(models, name) ? models[name as ModelName] : undefined;

/** The built-in model with that name, if it is learned by gradients. */
export function learned(name: string): BuiltInModel | undefined {
  const model = builtIn(name);
  return model?.isSolved ? undefined : model;
}

/** Whether a model is built in and computed in closed form. */
export const isSolved = (name: string): boolean => builtIn(name)?.isSolved === true;
