import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isSolved } from '../../graphs/models/index.ts';
import type { ItemItemConfig } from '../../graphs/models/item-item.ts';
import type { Objective } from '../../graphs/models/model.ts';
import type { Judgement } from '../artifact/judgement.ts';
import { type Artifact, partsOf, type TrainedPart, trainedFor } from '../artifact/manifest.ts';
import { comparedIn, NO_HITS, verdictOf } from '../artifact/verdict.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import { MOST_TO_TRAIN_TWICE } from '../data/dataset/split.ts';
import { overlapOf } from '../evaluate/overlap.ts';
import { itemsOfUsers } from '../evaluate/rankers.ts';
import { decimal } from '../recommend/listed.ts';
import { Recommender } from '../recommend/recommender.ts';
import type { NodeRuntime } from '../run/node.ts';
import { TRAINING_FOLDER, VOCABULARY } from '../train/engines/ort-training/export.ts';
import type { SolvedPlan } from '../train/recipe/plan.ts';
import type { Fitted } from '../train/train.ts';
import {
  count,
  epochsInWords,
  error,
  measured,
  nounOf,
  plural,
  printJson,
  printLine,
  printNote,
  printTable,
  seconds,
  shellWord,
  size,
} from './output.ts';
import { overlapInWords } from './overlap.ts';
import { reportWritten, writeReport } from './report.ts';
import type { Made, TrainFlags } from './train-run.ts';

interface Exported extends Made {
  readonly artifact: Artifact;
  readonly out: string;
  /** Seconds that the export took. */
  readonly export_: number;
  readonly reportBytes: number;
  /** The model that was in the folder. */
  readonly before?: Artifact | undefined;
}

/** @returns number of bytes of the report; 0 without a report */
export async function reportOn(
  { fitted, judged, heldOut }: Made,
  artifact: Artifact,
  runtime: NodeRuntime,
  flags: TrainFlags,
): Promise<number> {
  if (flags.report === undefined) return 0;
  // What is held out is judged by a model that was not trained on it.
  const judge =
    judged && judged !== fitted ? await Recommender.create(await judged.artifact(), runtime) : undefined;
  return writeReport(await Recommender.create(artifact, runtime), flags.report, {
    ...(judge && { judge }),
    data: heldOut,
    source: flags.test === undefined ? `held-out ${artifact.manifest.data.kind}` : basename(flags.test),
  });
}

/** Prints what a training gave. */
export async function tell(made: Exported, flags: TrainFlags): Promise<void> {
  const { fitted, judged, judgement, artifact, out } = made;
  const { manifest, files } = artifact;
  const { data, model } = manifest;
  const warnings = [...(judgement ? verdictOf(judgement).warnings : []), ...(await overlap(made, flags))];
  if (flags.json) return printJson(summaryOf(made, warnings));
  if (judgement) printJudgement(judgement, model.name, judged as Fitted);
  else if (made.notJudged !== undefined) printLine(`Not judged: ${made.notJudged}`);
  if (judged && made.heldOut) await noteItemItem(judged, made.heldOut);
  const isAll = judged !== undefined && judged !== fitted;
  const lacks =
    flags.test === undefined && judged === fitted && !made.stoppedJudging
      ? `; of more than ${count(MOST_TO_TRAIN_TWICE)}, what is held out is not trained on`
      : '';
  printLine(
    `Trained ${model.name} on ${isAll ? 'all ' : ''}${plural(data.ratings, nounOf(data.kind))} in ${seconds(fitted.seconds.train)}${lacks}`,
  );
  for (const [objective, { model, history, metrics, training }] of Object.entries(partsOf(manifest)))
    printLine(
      `  ${objective}: ${[
        madeInWords(objective as Objective, { model, history, training }, data, judgement),
        ...(metrics.train ? [`training ${measured(metrics.train)}`] : []),
      ].join(', ')}`,
    );
  noteReduction(fitted);
  const bytes = Object.values(files).reduce((sum, { length }) => sum + length, 0);
  printLine(`Wrote ${out} (${size(bytes)}): ${[...Object.keys(files), 'manifest.json'].join(', ')}`);
  printLine(
    flags.report === undefined
      ? `  npx cofactor report ${shellWord(out)} writes a page about what it has learned`
      : reportWritten(flags.report, made.reportBytes),
  );
  noteBefore(made, flags);
  for (const warning of warnings) printLine(`Warning: ${warning}`);
}

/** The object of `--json`. */
function summaryOf({ fitted, judged, judgement, artifact, out, ...made }: Exported, warnings: string[]) {
  const { manifest } = artifact;
  const { data, model } = manifest;
  const { kind, users, items, ratings } = data;
  const { rating, ranking } = judgement ?? {};
  return {
    ...{ model: model.name, objective: trainedFor(manifest), out, users, items, [kind]: ratings },
    ...(isSolved(model.name) ? model.config : { epochs: manifest.history.length }),
    seconds: {
      read: made.read,
      ...(judged && judged !== fitted && { judge: judged.seconds.build + judged.seconds.train }),
      ...fitted.seconds,
      export: made.export_,
    },
    train: fitted.metrics.train,
    ...(rating && { valid: rating.model }),
    ...(ranking && { ranking: { ...ranking.model, popular: ranking.popular } }),
    ...(judgement && { judged: withoutHistory(judgement), verdict: verdictOf(judgement).sentence }),
    ...(made.notJudged !== undefined && { notJudged: made.notJudged }),
    warnings,
  };
}

const withoutHistory = ({ rating, ranking, ...others }: Judgement) => ({
  ...others,
  ...(rating && { rating: { ...rating, history: undefined } }),
  ...(ranking && { ranking: { ...ranking, history: undefined } }),
});

/** What a test file has in common with training. */
async function overlap({ data, heldOut }: Made, { test }: TrainFlags): Promise<string[]> {
  if (test === undefined || !heldOut) return [];
  const { userIds, itemIds, facts } = data;
  const { users, items } = await data.sample(Number.POSITIVE_INFINITY);
  const rated = itemsOfUsers({ users, items, userIds, itemIds });
  return overlapInWords(overlapOf(heldOut, rated, facts), heldOut.ratings.length, facts);
}

/** A table of the model and its baselines on what is held out, and the verdict. */
function printJudgement(judgement: Judgement, model: string, judged: Fitted): void {
  const { kind, heldOut, trained, by, rating, ranking } = judgement;
  const users = rating?.users ?? ranking?.users;
  const from = by === 'file' ? 'test' : 'held-out';
  printLine(
    `Judged on ${plural(heldOut, `${from} ${nounOf(kind)}`)}${users === undefined ? '' : ` of ${plural(users, 'user')}`}, trained on ${by === 'file' ? '' : 'the other '}${count(trained)} in ${seconds(judged.seconds.train)}`,
  );
  printTable(judgementTable(judgement, model));
  if (!ranking && rating && judged.ranking) printLine(`  ${NO_HITS}`);
  printLine(`  ${verdictOf(judgement).sentence}`);
}

/** The measures of a model and its baselines, with a head. */
export function judgementTable(judgement: Judgement, model: string): string[][] {
  const { rating, ranking } = judgement;
  const numbers = (is: unknown, ...values: (number | undefined)[]): string[] =>
    is ? values.map((value) => (value === undefined ? '' : error(value))) : [];
  return [
    ['', ...(rating ? ['RMSE', 'MAE'] : []), ...(ranking ? ['NDCG@10', 'precision@10'] : [])],
    ...comparedIn(judgement, model).map((one) => [
      `  ${one.name}`,
      ...numbers(rating, one.rating?.rmse, one.rating?.mae),
      ...numbers(ranking, one.ranking?.ndcg, one.ranking?.precision),
    ]),
  ];
}

/** What the folder had before that the model does not have. */
function noteBefore({ before, out, artifact: { manifest, files } }: Exported, flags: TrainFlags): void {
  if (before && flags.out === undefined && before.manifest.data.fingerprint !== manifest.data.fingerprint)
    printNote(`The previous model in ${out} was of other data; give --out to keep both`);
  const exported = join(out, TRAINING_FOLDER);
  if (existsSync(join(exported, VOCABULARY)))
    printNote(
      `${exported} is from the previous model; update it with cofactor export ${shellWord(out)} --training`,
    );
  for (const [file, [what, flag]] of Object.entries(OPTIONAL_FILES))
    if (before?.files[file] && !files[file])
      printNote(
        `The previous model in ${out} had ${what}, which this one does not have; use ${flag} to store them`,
      );
}

/** What large data have less of. */
function noteReduction({ reduction }: Fitted): void {
  if (!reduction) return;
  const { factors, negatives, times } = reduction;
  const sampled = negatives === 'all' ? '' : ` and ${count(negatives)} sampled items per step`;
  printLine(
    `  because of the size of the data, ranking has ${count(factors)} factors${sampled}; all (--ranking-factors, --negatives all) would take about ${Math.max(2, Math.round(times))} times as long`,
  );
}

/** Part of the training time that a try of item-item may take. */
const TRY = 0.1;

/** Says so if item-item ranks what is held out clearly better. */
async function noteItemItem(fitted: Fitted, judged: Ratings): Promise<void> {
  const ahead = await fitted.itemItemAhead(judged, TRY * fitted.seconds.train);
  if (ahead)
    printLine(
      `  item-item ranks these better: NDCG@10 ${error(ahead.ndcg)} (95 % interval of the difference ${ahead.difference.map(error).join(' to ')}); train it with --model item-item`,
    );
}

/** How a part was made, and from what. */
function madeInWords(
  objective: Objective,
  { model, history, training }: Pick<TrainedPart, 'model' | 'history' | 'training'>,
  data: Artifact['manifest']['data'],
  judgement: Judgement | undefined,
): string {
  const tried = judgement?.[objective]?.history?.length ?? history.length;
  const epochs = `${epochsInWords(history)}${tried > history.length ? ` (the best of ${tried})` : ''}`;
  if (objective === 'rating') return epochs;
  const positives = positivesInWords(training as unknown as SolvedPlan, data);
  if (!isSolved(model.name)) return `${epochs} of ${positives}`;
  const { neighbors, regularization } = model.config as Required<ItemItemConfig>;
  const kept =
    neighbors === 'all' ? 'all weights' : `${plural(neighbors, 'weight')} for each item on average`;
  return `from ${positives}: ${kept} (--neighbors) with λ ${decimal(regularization)} (--regularization)`;
}

function positivesInWords({ positive, weights }: SolvedPlan, data: Artifact['manifest']['data']): string {
  if (data.kind === 'interactions') {
    const from = positive === 'all' ? 'interactions' : `interactions from ${positive} (--positive)`;
    const how = weights === 'log' ? 'by how often' : 'alike';
    return `${from}${data.low < data.high ? ` weighed ${how} (--weights)` : ''}`;
  }
  return positive === 'all' ? 'all that users rated (--positive)' : `ratings from ${positive} (--positive)`;
}

const OPTIONAL_FILES = {
  'titles.json': ['titles', '--titles'],
  'seen.onnx': ['the items that users have', '--seen'],
  'fold-in-many.onnx': ['a part that ranks', '--objective both'],
};
