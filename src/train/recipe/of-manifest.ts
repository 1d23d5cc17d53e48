import { dotBias } from '../../../graphs/models/dot-bias.ts';
import { mlp } from '../../../graphs/models/mlp.ts';
import type { Model, ModelDefinition } from '../../../graphs/models/model.ts';
import type { Manifest } from '../../artifact/manifest.ts';
import { UserError } from '../../errors.ts';
import { adagrad, adam, adamW, type Optimizer, rowAdagrad, sgd } from '../step/optimizers.ts';

const definitions: Readonly<Record<string, (config: object) => ModelDefinition>> = {
  'dot-bias': dotBias,
  mlp,
};
/** By name, as the command line and manifests call them. */
export const optimizers = {
  adamw: adamW,
  adam,
  adagrad,
  'row-adagrad': rowAdagrad,
  sgd,
  'sgd-momentum': (config: { readonly weightDecay?: number }): Optimizer =>
    sgd({ ...config, momentum: true }),
};

/**
 * The model that an artifact was trained with.
 *
 * @param definition the formula of a model of one's own, which its files do not tell
 * @throws UserError where that is needed and not given
 */
export function modelOf({ model: { name, config }, data }: Manifest, definition?: ModelDefinition): Model {
  const known = Object.hasOwn(definitions, name) ? definitions[name](config) : undefined;
  const define = definition ?? known;
  if (!define)
    throw new UserError(
      `the model is "${name}", whose formula its files do not tell; export it from a program: writeTrainingFiles(folder, artifact, { definition })`,
    );
  return define(data);
}
