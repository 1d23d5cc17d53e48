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
  /** Whether each step has items of its own. Default: all items in every step */
  readonly sampled: boolean;
  /** Factor of the learning rate of users' rows. @default 1 */
  readonly userRate?: number | undefined;
  /** Whether each positive has a weight. @default false */
  readonly weighted?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Many steps of training by the loss of rankings as one graph: a `Loop` whose body takes some users, scores items for each of
 * them, and updates their rows and the items' from the gradients of `listLoss` and the weight decay.
 *
 * Inputs: parameters and optimizer state (see `carriedDims`); `user` int32[users in order], in the order of training, and
 * `user_start` int64[steps + 1]: step i has the users from user_start[i] to before user_start[i + 1]; `positive_user` and
 * `positive_item` int32[positives]: what they have, as places among the step's users and among its items, and
 * `positive_start` int64[steps + 1]; `user_weight` float[users in order]: the sum of the weights of each user's positives;
 * `user_decay` float[users] and `item_decay` float[items]: the decay of each row in a step; `learning_rate` float[steps].
 * With weighted positives also `weight` float[positives].
 *
 * The items of a step are all items. With sampled items they are those that it has positives of or ranks them against:
 * `item` int32[items in order], without duplicates in a step, and `item_start` int64[steps + 1]; `negative` int32[steps,
 * negatives]: what a step ranks the positives against, as places among its items, and `stands_for` float[steps, negatives]:
 * the number of items that each of these stands for.
 *
 * Outputs: the parameters and state after the last step, with the names of the inputs and `.next`; `loss` float[steps]: the
 * weighted sum over the step's positives.
 *
 * Run it in a session with one intra-op thread: the order of additions, and so the result, is then always the same.
 */
export function listGraph(
  given: Model<Dim>,
  { optimizer, sampled, userRate = 1, weighted, metadata }: ListGraphOptions,
): ModelFile {
  // A run may have the rows of some users only, and of some items if they are sampled.
  const model: Model<Dim> = {
    ...given,
    parameters: mapValues(given.parameters, (parameter) => {
      const { rowsOf, dims } = parameter;
      const isPartial = rowsOf === 'user' || (rowsOf === 'item' && sampled);
      return isPartial ? { ...parameter, dims: [`${rowsOf}s`, ...dims.slice(1)] } : parameter;
    }),
  };
  checkLookups(model);
  const carried = carriedInputs(model, optimizer);
  const itemCount =
    Object.values(model.parameters).find(({ rowsOf }) => rowsOf === 'item')?.dims[0] ?? 'items';
  const inputs = {
    user: onnx.input('user', 'int32', ['users_in_order']),
    userStart: onnx.input('user_start', 'int64', ['steps+1']),
    positiveUser: onnx.input('positive_user', 'int32', ['positives']),
    positiveItem: onnx.input('positive_item', 'int32', ['positives']),
    positiveStart: onnx.input('positive_start', 'int64', ['steps+1']),
    userWeight: onnx.input('user_weight', 'float', ['users_in_order']),
    userDecay: onnx.input('user_decay', 'float', ['users']),
    itemDecay: onnx.input('item_decay', 'float', [itemCount]),
    learningRate: onnx.input('learning_rate', 'float', ['steps']),
    ...(weighted && { weight: onnx.input('weight', 'float', ['positives']) }),
    ...(sampled && {
      item: onnx.input('item', 'int32', ['items_in_order']),
      itemStart: onnx.input('item_start', 'int64', ['steps+1']),
      negative: onnx.input('negative', 'int32', ['steps', 'negatives']),
      standsFor: onnx.input('stands_for', 'float', ['steps', 'negatives']),
    }),
  };
  const { learningRate } = inputs;
  const rates = (learningRate: Value): Scalars =>
    optimizer.scalars({ learningRate, momentum: learningRate, step: learningRate });
  const [ofItems, ofUsers] = [
    rates(learningRate),
    rates(userRate === 1 ? learningRate : onnx.mul(learningRate, userRate, 'learning_rate_of_users')),
  ];
  const stepCount = onnx.reshape(onnx.shapeOf(learningRate), [], undefined, 'step_count');
  const begin = stepsOf(model, inputs);
  const { state, scan } = onnx.loop(stepCount, carried, (trip, values) => {
    const all = Object.fromEntries(carried.map(({ name }, index) => [name, values[index]]));
    const [scalars, scalarsOfUsers] = [ofItems, ofUsers].map((rates) =>
      mapValues(rates, (vector, name) => onnx.gather(vector, trip, 0, name)),
    );
    const step = begin(trip, all);
    const after = updated(model, { ...step, all, optimizer, scalars, scalarsOfUsers });
    return { state: carried.map(({ name }) => after[name]), scan: [step.loss] };
  });
  return onnx.buildModel({
    name: `rank ${model.name}`,
    inputs: [...carried, ...Object.values(inputs)],
    outputs: {
      ...Object.fromEntries(carried.map(({ name }, index) => [`${name}.next`, state[index]])),
      loss: scan[0],
    },
    metadata: { ...metadata, intra_op_threads: '1' },
  });
}

type Inputs = Readonly<
  Record<
    | ('user' | 'userStart' | 'positiveUser' | 'positiveItem' | 'positiveStart')
    | ('userWeight' | 'userDecay' | 'itemDecay'),
    Value
  > &
    Partial<Record<'weight' | 'item' | 'itemStart' | 'negative' | 'standsFor', Value>>
>;

/** @returns a function that gives the users and items of a step, their rows and their loss */
function stepsOf(
  model: Model<Dim>,
  inputs: Inputs,
): (trip: Value, all: Step['all']) => Pick<Step, 'tables' | 'ids' | 'decays' | 'loss'> {
  const { userStart, positiveStart, userDecay, itemDecay, weight } = inputs;
  const wide = (x: Value): Value => onnx.cast(x, 'int64', `${x.name}_row`);
  const [userRow, positiveUser, positiveItem] = [inputs.user, inputs.positiveUser, inputs.positiveItem].map(
    wide,
  );
  const itemRow = inputs.item && wide(inputs.item);
  const everyItem = everyRow(itemDecay);
  return (trip, all) => {
    const at = onnx.reshape(trip, [1], undefined, 'trip_row');
    const next = onnx.add(at, 1);
    const ofStep = (x: Value, start: Value, dim: string): Value =>
      onnx.slice(x, onnx.gather(start, at), onnx.gather(start, next), { dim, name: `step_${x.name}` });
    const user = ofStep(userRow, userStart, 'batch');
    const item = itemRow && ofStep(itemRow, inputs.itemStart as Value, 'step_items');
    const ids = { user, item };
    // Of users and sampled items, the step has only their own rows.
    const tables = mapValues(model.parameters, ({ rowsOf }, name) => {
      const rows = rowsOf && ids[rowsOf];
      return rows ? onnx.gather(all[name], rows, 0, `step_${name}`) : all[name];
    });
    const score = (user: Value, item: Value): Value => scoreOf(model, tables, { user, item });
    const negative = inputs.negative && wide(onnx.gather(inputs.negative, trip, 0, 'step_negative'));
    const scores = onnx.allPairs(score, everyRow(user), negative ?? everyItem);
    const [ofUser, ofItem] = [positiveUser, positiveItem].map((x) =>
      ofStep(x, positiveStart, 'step_positives'),
    );
    const positives = {
      // With all items, the scores of the positives are in the grid.
      scores: negative ? score(ofUser, ofItem) : atPlaces(scores, ofUser, ofItem),
      weights: weight && ofStep(weight, positiveStart, 'step_positives'),
      weightOfUser: ofStep(inputs.userWeight, userStart, 'batch'),
    };
    const standsFor = inputs.standsFor && onnx.gather(inputs.standsFor, trip, 0, 'step_stands_for');
    return {
      ids,
      tables,
      decays: {
        user: onnx.gather(userDecay, user),
        item: item ? onnx.gather(itemDecay, item) : itemDecay,
      },
      loss: listLoss(scores, positives, standsFor),
    };
  };
}

/** Elements of a matrix. */
function atPlaces(matrix: Value, row: Value, column: Value): Value {
  const width = onnx.slice(onnx.shapeOf(matrix), 1, 2, { name: 'width' });
  const flat = onnx.reshape(matrix, [-1], ['users*items'], 'flat_scores');
  return onnx.gather(flat, onnx.add(onnx.mul(row, width), column, 'place'), 0, 'score_of_positive');
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
  readonly scalarsOfUsers: Scalars;
}

/** All parameters and their state after a step. */
function updated(model: Model<Dim>, step: Step): Record<string, Value> {
  const { all, tables, ids, decays, loss, optimizer, scalars } = step;
  const rule = { optimizer, sparseUpdates: true, scalars };
  const ofUsers = { ...rule, scalars: step.scalarsOfUsers };
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
      const { parameter, state } = update(
        rowsOf === 'user' ? ofUsers : rule,
        before,
        rows ? { ids: rows, rows: gradient } : gradient,
      );
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
    userRate: plan.training.userRate,
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
