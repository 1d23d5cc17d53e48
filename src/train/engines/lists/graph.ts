import { listLoss } from '../../../../graphs/models/list-loss.ts';
import { type Model, scoreOf } from '../../../../graphs/models/model.ts';
import type { Positives } from '../../../data/dataset/positives.ts';
import type { Dim, ModelFile, Value } from '../../../onnx/index.ts';
import * as onnx from '../../../onnx/index.ts';
import { mapValues } from '../../../util/map-values.ts';
import type { RankingPlan, Resolved } from '../../recipe/plan.ts';
import { carriedInputs, stateName } from '../../step/layout.ts';
import type { Optimizer, Scalars } from '../../step/optimizers/optimizer.ts';
import { placeholders } from '../../step/tables.ts';
import { update } from '../../step/update.ts';
import { ofAnySize, trainingMetadata } from '../any-size.ts';

export interface ListGraphOptions {
  readonly optimizer: Optimizer;
  /** Whether each step has candidates of its own. Default: all items are candidates in every step */
  readonly sampled: boolean;
  /** Whether each positive has a weight. @default false */
  readonly weighted?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Many steps of training by the loss of rankings as one graph: a `Loop` whose body takes some users, scores the candidates
 * for each of them, and updates their rows and the candidates' from the gradients of `listLoss` and the weight decay.
 *
 * Inputs: parameters and optimizer state (see `carriedDims`); `user` int32[users in order], in the order of training, and
 * `user_start` int64[steps + 1]: step i has the users from user_start[i] to before user_start[i + 1]; `positive`
 * int32[positives]: the places of what they have in the step's grid [users, candidates], user · candidates + candidate, and
 * `positive_start` int64[steps + 1]; `user_decay` float[users] and `item_decay` float[items]: the decay of each row in a
 * step; `learning_rate` float[steps]. With weighted positives also `weight` float[positives]. With sampled candidates also `candidate` int32[candidates in order], without
 * duplicates in a step, `candidate_start` int64[steps + 1], and `correction` float[candidates in order]: what is added to a
 * candidate's score in the sum over candidates.
 *
 * Outputs: the parameters and state after the last step, with the names of the inputs and `.next`; `loss` float[steps]: the
 * weighted sum over the step's positives.
 *
 * Run it in a session with one intra-op thread: the order of additions, and so the result, is then always the same.
 */
export function listGraph(
  given: Model<Dim>,
  { optimizer, sampled, weighted, metadata }: ListGraphOptions,
): ModelFile {
  // A run may have the rows of some users only.
  const model: Model<Dim> = {
    ...given,
    parameters: mapValues(given.parameters, (parameter) =>
      parameter.rowsOf === 'user' ? { ...parameter, dims: ['users', ...parameter.dims.slice(1)] } : parameter,
    ),
  };
  checkLookups(model);
  const carried = carriedInputs(model, optimizer);
  const items = Object.values(model.parameters).find(({ rowsOf }) => rowsOf === 'item')?.dims[0] ?? 'items';
  const user = onnx.input('user', 'int32', ['users_in_order']);
  const positive = onnx.input('positive', 'int32', ['positives']);
  const weight = onnx.input('weight', 'float', ['positives']);
  const candidate = onnx.input('candidate', 'int32', ['candidates_in_order']);
  const correction = onnx.input('correction', 'float', ['candidates_in_order']);
  const starts = (name: string): Value => onnx.input(`${name}_start`, 'int64', ['steps+1']);
  const [userStart, positiveStart, candidateStart] = ['user', 'positive', 'candidate'].map(starts);
  const userDecay = onnx.input('user_decay', 'float', ['users']);
  const itemDecay = onnx.input('item_decay', 'float', [items]);
  const learningRate = onnx.input('learning_rate', 'float', ['steps']);

  const wide = (x: Value): Value => onnx.cast(x, 'int64', `${x.name}_row`);
  const [userRow, positivePlace, candidateRow] = [wide(user), wide(positive), wide(candidate)];
  const everyItem = everyRow(itemDecay);
  const rates = optimizer.scalars({ learningRate, momentum: learningRate, step: learningRate });
  const stepCount = onnx.reshape(onnx.shapeOf(learningRate), [], undefined, 'step_count');

  const { state, scan } = onnx.loop(stepCount, carried, (trip, values) => {
    const all = Object.fromEntries(carried.map(({ name }, index) => [name, values[index]]));
    const at = onnx.reshape(trip, [1], undefined, 'trip_row');
    const next = onnx.add(at, 1);
    const ofStep = (x: Value, start: Value, dim: string): Value =>
      onnx.slice(x, onnx.gather(start, at), onnx.gather(start, next), { dim, name: `step_${x.name}` });
    const ids = {
      user: ofStep(userRow, userStart, 'batch'),
      item: sampled ? ofStep(candidateRow, candidateStart, 'candidates') : undefined,
    };
    // Of users and sampled candidates, the step has only their own rows.
    const tables = mapValues(model.parameters, ({ rowsOf }, name) => {
      const rows = rowsOf && ids[rowsOf];
      return rows ? onnx.gather(all[name], rows, 0, `step_${name}`) : all[name];
    });
    const scores = onnx.allPairs(
      (left, right) => scoreOf(model, tables, { user: left, item: right }),
      everyRow(ids.user),
      ids.item ? everyRow(ids.item) : everyItem,
    );
    const places = ofStep(positivePlace, positiveStart, 'step_positives');
    const loss = listLoss(
      scores,
      {
        places,
        weights: weighted ? ofStep(weight, positiveStart, 'step_positives') : undefined,
      },
      sampled ? ofStep(correction, candidateStart, 'candidates') : undefined,
    );
    const decays = {
      user: onnx.gather(userDecay, ids.user),
      item: ids.item ? onnx.gather(itemDecay, ids.item) : itemDecay,
    };
    const scalars = mapValues(rates, (vector, name) => onnx.gather(vector, trip, 0, name));
    const after = updated(model, { all, tables, ids, decays, loss, optimizer, scalars });
    return { state: carried.map(({ name }) => after[name]), scan: [loss] };
  });
  return onnx.buildModel({
    name: `rank ${model.name}`,
    inputs: [
      ...carried,
      ...[user, userStart, positive, positiveStart],
      ...(weighted ? [weight] : []),
      ...(sampled ? [candidate, candidateStart, correction] : []),
      ...[userDecay, itemDecay, learningRate],
    ],
    outputs: {
      ...Object.fromEntries(carried.map(({ name }, index) => [`${name}.next`, state[index]])),
      loss: scan[0],
    },
    metadata: { ...metadata, intra_op_threads: '1' },
  });
}

interface Step {
  /** All parameters and their state, by the names of `carriedDims`. */
  readonly all: Readonly<Record<string, Value>>;
  /** Each parameter, or the rows of it that the step has. */
  readonly tables: Readonly<Record<string, Value>>;
  readonly ids: { readonly user: Value; readonly item: Value | undefined };
  readonly decays: { readonly user: Value; readonly item: Value };
  readonly loss: Value;
  readonly optimizer: Optimizer;
  readonly scalars: Scalars;
}

/** All parameters and their state after a step. */
function updated(model: Model<Dim>, step: Step): Record<string, Value> {
  const { all, tables, ids, decays, loss, optimizer, scalars } = step;
  const rule = { optimizer, sparseUpdates: true, scalars };
  const names = Object.keys(model.parameters);
  const slopes = onnx.gradients(
    loss,
    names.map((name) => tables[name]),
  );
  return Object.fromEntries(
    names.flatMap((name, index) => {
      const { rowsOf, dims } = model.parameters[name];
      const decay =
        rowsOf && dims.length > 1 ? onnx.unsqueeze(decays[rowsOf], [...dims.keys()].slice(1)) : undefined;
      const gradient = decay ? onnx.add(slopes[index], onnx.mul(tables[name], decay)) : slopes[index];
      const rows = rowsOf && ids[rowsOf];
      const before = {
        parameter: all[name],
        state: Object.fromEntries(optimizer.state.map((part) => [part, all[stateName(name, part)]])),
      };
      const { parameter, state } = update(rule, before, rows ? { ids: rows, rows: gradient } : gradient);
      return [
        [name, parameter] as const,
        ...Object.entries(state).map(([part, value]) => [stateName(name, part), value] as const),
      ];
    }),
  );
}

/**
 * The same graph for any number of users and items, to train elsewhere. Its metadata has, as JSON, the distribution of each
 * parameter's initial values (the state starts at zero) and the training plan.
 *
 * @throws GraphError for a formula that needs to know the numbers of users and items
 */
export function listGraphOfAnySize({
  model,
  optimizer,
  plan,
  positives,
}: Resolved<RankingPlan> & { readonly positives: Positives }): ModelFile {
  return listGraph(ofAnySize(model), {
    optimizer,
    sampled: plan.training.negatives !== 'all',
    weighted: positives.weights !== undefined,
    metadata: trainingMetadata(model, plan),
  });
}

/** 0, 1, … for the rows of `x`. */
const everyRow = (x: Value): Value =>
  onnx.range(onnx.reshape(onnx.slice(onnx.shapeOf(x), 0, 1), []), x.dims[0], 'every_row');

/** @throws GraphError for a formula that uses the table of users other than to look up the rows of its users */
function checkLookups(model: Model<Dim>): void {
  const tables = placeholders(model);
  const ids = { user: onnx.input('user', 'int64', ['batch']), item: onnx.input('item', 'int64', ['batch']) };
  const uses = onnx.lookups([scoreOf(model, tables, ids)], Object.values(tables));
  for (const [index, [name, { rowsOf }]] of Object.entries(model.parameters).entries()) {
    const { lookups, others } = uses[index];
    if (rowsOf === 'user' && (others.length > 0 || lookups.some(({ indices }) => indices !== ids.user)))
      throw new onnx.GraphError(
        `model "${model.name}": ranking needs a formula that only looks up rows of users in "${name}"; train it with objective: 'rating'`,
      );
  }
}
