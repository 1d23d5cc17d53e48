import type { Model } from '../../../graphs/models/model.ts';
import { type Dim, GraphError } from '../../onnx/index.ts';
import { mapValues } from '../../util/map-values.ts';
import type { Plan } from '../recipe/plan.ts';

/**
 * A model for any number of users and items: the axes of its tables are `users` and `items`. A formula that needs to know
 * these numbers throws a GraphError.
 */
export function ofAnySize(model: Model): Model<Dim> {
  const parameters = mapValues(model.parameters, (parameter) => {
    const { dims, rowsOf } = parameter;
    return { ...parameter, dims: rowsOf ? [`${rowsOf}s`, ...dims.slice(1)] : dims };
  });
  return {
    ...model,
    parameters,
    score(...given) {
      try {
        return model.score(...given);
      } catch (error) {
        // A formula that has trained can only fail because sizes are names. Its error may be of any kind.
        if (error instanceof GraphError) throw error;
        const message = `model "${model.name}": its formula needs to know how many users and items there are`;
        throw new GraphError(message, { cause: error });
      }
    },
  };
}

/**
 * What a training graph says about itself, as JSON: the model, the distribution of each parameter's initial values (the state
 * starts at zero), and the plan of training.
 */
export const trainingMetadata = (
  { parameters }: Model,
  { model, training }: Plan,
): Record<string, string> => ({
  model: JSON.stringify(model),
  initial: JSON.stringify(mapValues(parameters, ({ initial }) => initial)),
  training: JSON.stringify(training),
});
