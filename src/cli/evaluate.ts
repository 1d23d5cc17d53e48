import { Command } from 'commander';
import { partsOf } from '../artifact/manifest.ts';
import { ABOVE_ZERO } from '../data/dataset/positives.ts';
import { UserError } from '../errors.ts';
import type { Interval } from '../evaluate/bootstrap.ts';
import { type Evaluation, evaluate, type NoRanking } from '../evaluate/evaluate.ts';
import { type BaselineJudgement, evaluateBaselines } from '../evaluate/evaluate-baselines.ts';
import type { Group } from '../evaluate/groups.ts';
import { metrics } from '../evaluate/metrics.ts';
import type { RankingAt } from '../evaluate/ranking.ts';
import { decimal } from '../recommend/listed.ts';
import type { Recommender } from '../recommend/recommender.ts';
import { trainingChoices } from '../train/recipe/choices.ts';
import type { RankingPlan } from '../train/recipe/plan.ts';
import { type Choices, kinds } from '../util/choices.ts';
import { type Flags, JSON_OBJECT, READING, withChoices } from './choice-options.ts';
import { readForModel } from './model-data.ts';
import { OPENING, openModel } from './open-model.ts';
import { count, error, plural, printJson, printLine, printTable } from './output.ts';
import { overlapInWords } from './overlap.ts';

const own = {
  ...OPENING,
  train: {
    kind: kinds.text('file'),
    help: 'training data, which rankings leave out; needed for a model trained with --no-seen',
  },
  k: { kind: kinds.lengths, help: 'lengths of the ranked lists to evaluate', default: [10] },
  threshold: {
    kind: kinds.number,
    help: 'lowest rating, or strength of an interaction, of a relevant item (default: the start of the last quarter of the scale, 4 for ratings from 1 to 5; all interactions)',
  },
  weighted: {
    kind: kinds.flag,
    help: 'let NDCG weigh a relevant item by its held-out rating, or by how often: the strength of the interaction',
  },
  baselines: { kind: kinds.flag, help: 'evaluate simple baselines, too, made from --train' },
  positive: {
    kind: trainingChoices.positive.kind,
    help: 'lowest rating from which the rankings of baselines are made; all: every rating',
    otherwise: 'as the model was trained, or the start of the last quarter of the scale',
  },
  ...JSON_OBJECT,
} as const satisfies Choices;

export function evaluateCommand(): Command {
  const command = new Command('evaluate')
    .description(
      'Evaluate a model on the ratings or interactions in a file: errors of predictions, and quality of rankings.',
    )
    .argument('<folder>', 'a trained model')
    .argument('<file...>', 'ratings or interactions that were not used in training: files or patterns');
  return withChoices(command, ['device', ...READING], own).action(run);
}

async function run(directory: string, files: string[], flags: Flags<'device', typeof own>): Promise<void> {
  if (flags.baselines && flags.train === undefined)
    throw new UserError('argument', '--baselines are made from training data; give them with --train FILE');
  if (flags.positive !== undefined && !flags.baselines)
    throw new UserError('argument', '--positive is about the baselines; give --baselines, too');
  const recommender = await openModel(directory, flags);
  const { kind } = recommender;
  const ratings = await readForModel(recommender, files, flags, 'held-out');
  const train =
    flags.train === undefined ? undefined : await readForModel(recommender, flags.train, flags, 'training');
  const { k, threshold, weighted } = flags;
  const { ranking } = partsOf(recommender.artifact.manifest);
  const { positive = (ranking?.training as Partial<RankingPlan> | undefined)?.positive } = flags;
  const result = await evaluate(recommender, ratings, { train, k, threshold, weighted });
  const baselines =
    flags.baselines && train
      ? await evaluateBaselines(train, ratings, {
          k,
          threshold: result.ranking?.threshold ?? threshold,
          weighted,
          positive,
        })
      : undefined;
  const { manifest } = recommender.artifact;
  const mean = metrics(new Float32Array(ratings.ratings.length).fill(manifest.data.mean), ratings.ratings);
  const warnings = [
    ...overlapInWords(result.overlap, result.ratings, manifest.data),
    ...worseThan(result, { 'the average of training': mean, ...baselines }),
  ];
  if (flags.json) printJson({ ...result, ...(baselines && { baselines }), warnings });
  else {
    print(result, { kind, baselines, weighted });
    for (const warning of warnings) printLine(`Warning: ${warning}`);
  }
  if (result.noRanking && result.rmse === undefined)
    throw new UserError('data', `there is nothing to judge by: ${WITHOUT_RANKING[result.noRanking](kind)}`);
}

/** Trivial guesses that predict better than the model. */
const worseThan = (
  { rmse }: Evaluation,
  guesses: Readonly<Record<string, { rmse?: number | undefined }>>,
): string[] =>
  ['the average of training', 'user-item-means'].flatMap((name) => {
    const other = guesses[name]?.rmse;
    return rmse === undefined || other === undefined || rmse <= other
      ? []
      : [`the model predicts worse (RMSE ${error(rmse)}) than ${name} (${error(other)})`];
  });

interface About {
  readonly kind: Recommender['kind'];
  readonly baselines?: Readonly<Record<string, BaselineJudgement>> | undefined;
  readonly weighted?: boolean | undefined;
}

function print(result: Evaluation, { kind, baselines = {}, weighted }: About): void {
  const { ranking } = result;
  const judged = { model: result, ...baselines };
  printErrors(result, kind);
  const predicting = Object.entries(judged).flatMap(([name, { rmse, mae }]) =>
    rmse === undefined || mae === undefined ? [] : [[name, error(rmse), error(mae)]],
  );
  if (kind === 'ratings' && Object.keys(baselines).length > 0) printColumns(['', 'RMSE', 'MAE'], predicting);
  printLine('');
  if (!ranking) {
    printLine(`No ranking: ${WITHOUT_RANKING[result.noRanking ?? 'nothing relevant'](kind)}`);
    return;
  }
  printLine(
    `Ranking of all items except those ${kind === 'ratings' ? 'rated' : 'left out'} in training, for ${plural(ranking.users, 'user')} with held-out ${relevantInWords(kind, ranking.threshold)}; ${count(ranking.withoutRelevant)} have none`,
  );
  printColumns(
    [
      '',
      'precision',
      'recall',
      weighted ? 'weighted NDCG' : 'NDCG',
      'MAP',
      'MRR',
      'hit rate',
      'coverage',
      'Gini',
      'novelty',
    ],
    Object.entries(judged).flatMap(([name, { ranking }]) =>
      (ranking?.at ?? []).flatMap((at) => rankingRows(name, at)),
    ),
  );
  for (const [name, { skipped }] of Object.entries(baselines))
    if (skipped !== undefined) printLine(`${name} was skipped: ${skipped}`);
}

function printErrors(
  { rmse, mae, intervals, groups, ...result }: Evaluation,
  kind: Recommender['kind'],
): void {
  const unknown = `${plural(result.unknownUsers, 'user')} and ${plural(result.unknownItems, 'item')} were unknown to the model`;
  if (rmse === undefined || mae === undefined || !intervals) {
    printLine(
      kind === 'ratings'
        ? 'The model ranks, and predicts no ratings: there are no errors'
        : `Judged on ${plural(result.ratings, 'interaction')}`,
    );
    printLine(`${unknown}; unknown users are in no ranking, and unknown items count as missed`);
    return;
  }
  printLine(`RMSE ${error(rmse)}, MAE ${error(mae)} on ${plural(result.ratings, 'rating')}`);
  printLine(`95 % intervals over users: RMSE ${between(intervals.rmse)}, MAE ${between(intervals.mae)}`);
  printLine(`${unknown} and treated as average`);
  printColumns(
    ['', 'ratings', 'RMSE', 'MAE'],
    [
      ...groupRows(groups.rating, (range) => `rated ${range}`),
      ...groupRows(groups.userActivity, (range) => `by users with ${range} ratings in training`),
      ...groupRows(groups.itemPopularity, (range) => `of items with ${range} ratings in training`),
    ],
  );
}

const WITHOUT_RANKING: Readonly<Record<NoRanking, (kind: Recommender['kind']) => string>> = {
  'unknown training': () =>
    'it is not known what the model was trained on, so lists cannot leave it out; give it with --train',
  'nothing relevant': (kind) =>
    `no known user has a relevant item that they did not ${kind === 'ratings' ? 'rate' : 'have'} in training; give ${kind} that were not used in training, such as those of cofactor split, or a lower --threshold`,
  'no hits': (kind) =>
    `no list has a relevant item, so all measures are 0; are these ${kind} of the users and items of training?`,
};

/** Interactions are all relevant if their strengths are above 0. */
const relevantInWords = (kind: Recommender['kind'], threshold: number): string =>
  kind === 'interactions' && threshold <= ABOVE_ZERO
    ? 'interactions'
    : `${kind} of at least ${decimal(threshold)}`;

const between = ([low, high]: Interval): string => `${error(low)}–${error(high)}`;

function groupRows(groups: readonly Group[] = [], label: (range: string) => string): string[][] {
  return groups.map(({ from, to, ratings, rmse, mae }) => [
    label(from === to ? `${decimal(from)}` : `${decimal(from)}–${decimal(to)}`),
    count(ratings),
    error(rmse),
    error(mae),
  ]);
}

/** The means, with their intervals below. */
function rankingRows(name: string, at: RankingAt): string[][] {
  const { precision, recall, ndcg, map, mrr, hitRate } = at.intervals;
  const means = [at.precision, at.recall, at.ndcg, at.map, at.mrr, at.hitRate, at.coverage, at.gini];
  return [
    [`${name}, ${at.k} items`, ...means.map(error), `${at.novelty.toFixed(2)} bits`],
    ['', ...[precision, recall, ndcg, map, mrr, hitRate].map(between), '', '', ''],
  ];
}

function printColumns(head: string[], rows: string[][]): void {
  printLine('');
  printTable([head, ...rows]);
}
