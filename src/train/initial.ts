import type { Model } from '../../graphs/model.ts';
import type { Tensors } from '../../graphs/serving.ts';
import { generator, normals, uniforms } from '../data/random.ts';
import { mapValues } from './map-values.ts';

const STREAM = 1;

/** Where the parameters of a model begin; one seed gives the same. */
export function initialParameters(model: Model, seed: number): Tensors {
  const random = generator(seed, STREAM);
  return mapValues(model.parameters, ({ dims, initial }) => {
    const size = dims.reduce((product, dim) => product * dim, 1);
    const { center = 0 } = initial;
    const data =
      'normal' in initial
        ? normals(size, initial.normal, random).map((value) => center + value)
        : uniforms(size, random).map((value) => center + (2 * value - 1) * initial.uniform);
    return { dims, data };
  });
}
