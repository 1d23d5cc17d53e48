import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Command } from 'commander';
import { isSolved } from '../../graphs/models/index.ts';
import type { ItemItemConfig } from '../../graphs/models/item-item.ts';
import type { Objective } from '../../graphs/models/model.ts';
import { CHECKPOINT, openModelFolder, readArtifact, writeInto } from '../artifact/artifact.ts';
import { type Artifact, partsOf, type TrainedPart, trainedFor } from '../artifact/manifest.ts';
import type { Dataset } from '../data/dataset/dataset.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import type { ItemTable } from '../data/read/item-table.ts';
import { readItems } from '../data/read/items.ts';
import { readRatings } from '../data/read/read.ts';
import { MADE_BY } from '../document/html.ts';
import { UserError } from '../errors.ts';
import { decimal } from '../recommend/listed.ts';
import { Recommender } from '../recommend/recommender.ts';
import { type NodeRuntime, nodeRuntime } from '../run/node.ts';
import { removeCheckpoint } from '../train/checkpoint.ts';
import { TRAINING_FOLDER, VOCABULARY } from '../train/engines/ort-training/export.ts';
import { checkMemory } from '../train/item-item.ts';
import type { ValidMetrics } from '../train/progress.ts';
import { trainingChoices } from '../train/recipe/choices.ts';
import type { RankingPlan, SolvedPlan } from '../train/recipe/plan.ts';
import { checkRecipe } from '../train/recipe/recipe.ts';
import { checkEngine } from '../train/recipe/resolve.ts';
import type { RunChoices } from '../train/recipe/run-choices.ts';
import { type Fitted, type RankedOn, train } from '../train/train.ts';
import { type Choices, kinds } from '../util/choices.ts';
import type { OwnFolder } from '../util/own-folder.ts';
import {
  chosenDevice,
  chosenFrom,
  type Flags,
  JSON_OBJECT,
  MEANING,
  readingOf,
  recipeOf,
  withChoices,
} from './choice-options.ts';
import { KEYS, printConfig, withConfig } from './config.ts';
import { dryRun } from './dry-run.ts';
import { onInterrupt } from './interrupt.ts';
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
  seconds,
  shellWord,
  size,
} from './output.ts';
import { checkDefault, checkOutputs } from './outputs.ts';
import { progressBar } from './progress.ts';
import { reportWritten, writeReport } from './report.ts';
import { checkHeldOut, readToTrain, reportReading, stem } from './train-data.ts';

const own = {
  resume: { kind: kinds.flag, help: 'resume a training that was interrupted' },
  ...JSON_OBJECT,
  dryRun: { kind: kinds.flag, help: 'print how the files are understood, and do not train' },
  printConfig: {
    kind: kinds.flag,
    help: 'print all choices, as a cofactor.config.json, and do not train',
  },
} as const satisfies Choices;

type TrainFlags = Flags<keyof RunChoices, typeof own>;

export function trainCommand(): Command {
  const command = new Command('train')
    .description(
      'Train a model on a file of ratings, clicks, plays or purchases: CSV, TSV, Parquet or JSON, also compressed.',
    )
    .argument(
      '<file...>',
      'ratings or interactions: files, patterns, folders of parts, or - for standard input',
    );
  return withConfig(withChoices(command, KEYS, own), KEYS).action(run);
}

async function run(files: string[], flags: TrainFlags, command: Command): Promise<void> {
  const recipe = recipeOf(flags);
  const { model = trainingChoices.model.default, engine = trainingChoices.engine.default } = recipe;
  const out = flags.out ?? join('artifacts', `${stem(files[0])}-${model}`);
  const checked = checkRecipe(recipe);
  checkHeldOut(flags);
  const device = flags.device === 'auto' && engine === 'ort-training' ? 'cpu' : flags.device;
  checkEngine(engine, checked.chosen, { device });
  if (flags.workers !== undefined && engine !== 'auto' && engine !== 'strata')
    throw new UserError(
      'argument',
      `--workers is for training by strata; leave it out, or --engine ${engine}`,
    );
  if (flags.printConfig) return printConfig(flags);
  if (flags.dryRun) return dryRun(files, flags);
  if (flags.report !== undefined && command.getOptionValueSource('report') === 'config')
    await checkDefault(flags.report, MADE_BY, '--report');
  await checkOutputs(command, { files: { report: flags.report }, folders: { out } });
  if (device !== flags.device)
    printNote('Running on the CPU: ONNX Runtime’s training API trains in WebAssembly');
  const runtime = await nodeRuntime({ device: await chosenDevice({ device }) });
  const folder = await openModelFolder(out);
  try {
    await trainInto(folder, files, flags, runtime);
  } finally {
    folder.close();
  }
}

async function trainInto(
  folder: OwnFolder,
  files: readonly string[],
  flags: TrainFlags,
  runtime: NodeRuntime,
): Promise<void> {
  const { keepSeen, quantize: precision, resume, engine } = flags;
  const out = folder.directory;
  const path = folder.hidden(CHECKPOINT);
  if (engine === 'ort-training' && resume && existsSync(path))
    printNote('The optimizer’s state starts at zero, because ONNX Runtime’s training API cannot store it');
  if (!resume && existsSync(path))
    printNote(
      `${out} has the checkpoint of a training that was stopped, which this one replaces; to go on from it, stop now, and give --resume`,
    );
  const made = await readAndTrain(files, flags, folder, runtime);
  const exporting = performance.now();
  const before = await readArtifact(out).catch(() => undefined);
  const artifact = await made.fitted.artifact({
    ...made.table,
    keepSeen,
    precision,
    reading: chosenFrom(MEANING, flags),
  });
  // An interrupted training can be resumed.
  const { objectives } = checkRecipe(recipeOf(flags), artifact.manifest.data.kind);
  const cutOff = made.aborted && !isComplete(made.fitted, objectives);
  if (cutOff && before)
    throw new UserError(
      'training',
      `stopped before the end, so ${out} keeps the model that it had; with the same settings, --resume resumes from ${path}`,
    );
  await writeInto(folder, artifact);
  const export_ = (performance.now() - exporting) / 1000;
  if (!cutOff) await removeCheckpoint(path);
  const reportBytes = await reportOn(made, artifact, runtime, flags);
  await tell({ ...made, artifact, out, export_, reportBytes, before }, flags);
  const isHalf = made.fitted.plan.training.objective === 'rating' && !made.fitted.ranking;
  const before_ = isHalf && objectives.length > 1 ? ' before the part that ranks' : '';
  if (cutOff) printNote(`Stopped early${before_}; with the same settings, --resume resumes from ${path}`);
}

/** Whether a training took all of its epochs, for each of its objectives. */
const isComplete = (fitted: Fitted, objectives: readonly Objective[]): boolean =>
  [fitted, fitted.ranking].filter((part) => part !== undefined).length === objectives.length &&
  [fitted, fitted.ranking].every((part) => {
    const { epochs = 1 } = (part?.plan.training ?? {}) as Partial<RankingPlan>;
    return !part || part.history.length === epochs;
  });

interface Made {
  readonly fitted: Fitted;
  readonly test?: Ratings;
  readonly valid?: Ratings;
  readonly table?: ItemTable;
  /** Seconds that reading took. */
  readonly read: number;
  readonly aborted: boolean;
}

interface Exported extends Made {
  readonly artifact: Artifact;
  readonly out: string;
  /** Seconds that the export took. */
  readonly export_: number;
  readonly reportBytes: number;
  /** The model that was in the folder. */
  readonly before?: Artifact;
}

async function readAndTrain(
  files: readonly string[],
  flags: TrainFlags,
  folder: OwnFolder,
  runtime: NodeRuntime,
) {
  const started = performance.now();
  const { engine = trainingChoices.engine.default, sparseUpdates } = flags;
  const mayStore = ['auto', 'strata'].includes(engine) && runtime.device === 'cpu' && sparseUpdates !== false;
  const { ratings, valid, report } = await readToTrain(files, flags, mayStore ? folder : undefined);
  const test = flags.test === undefined ? undefined : await readTest(flags.test, flags, ratings);
  const table = flags.titles === undefined ? undefined : await readTitles(flags, ratings);
  const read = (performance.now() - started) / 1000;
  if (!flags.json) {
    reportReading(report, files, read);
    const { model = trainingChoices.model.default } = flags;
    if (isSolved(model)) printLine(`  ${needsOf(model, ratings, flags)}`);
    else if (flags.objective === undefined || flags.objective === 'auto') printLine(`  ${aimOf(ratings)}`);
  }
  const bar = progressBar();
  const { signal, stop } = onInterrupt(
    isSolved(flags.model ?? trainingChoices.model.default)
      ? 'Stopping, without a model; Ctrl-C again stops at once'
      : 'Stopping after this epoch; Ctrl-C again stops at once, and --resume then resumes from the previous epoch',
  );
  try {
    const fitted = await train(ratings, recipeOf(flags), {
      runtime,
      valid,
      workers: flags.workers,
      checkpoint: { path: folder.hidden(CHECKPOINT), resume: flags.resume },
      signal,
      memory: flags.memory,
      onProgress: bar.update,
    });
    return { fitted, test, valid, table, read, aborted: signal.aborted };
  } finally {
    bar.stop();
    stop();
  }
}

/** Says what a model in closed form ranks by, and how much memory it takes. */
const needsOf = (model: string, data: Dataset, flags: TrainFlags): string =>
  `${model} learns to recommend; its weights between ${plural(data.itemIds.length, 'item')} take at most ${size(checkMemory(data, flags))} of memory (--memory)`;

/** Says what the model learns, and how to change that. */
const aimOf = ({ facts: { kind, low, high } }: Dataset): string =>
  kind === 'interactions'
    ? 'The model learns to recommend; to predict ratings, too, give --objective both, and --rating-column for their column'
    : `Ratings from ${decimal(low)} to ${decimal(high)}: the model learns to predict them and to recommend; --objective rating or ranking trains one part`;

const readTest = async (file: string, flags: TrainFlags, vocabulary: Dataset): Promise<Ratings> =>
  (await readRatings(file, { ...readingOf(flags), kind: vocabulary.facts.kind, vocabulary })).ratings;

async function readTitles(
  { titles = '', itemColumn }: TrainFlags,
  { facts, itemIds }: Dataset,
): Promise<ItemTable> {
  const table = await readItems(titles, { itemColumn });
  if (itemIds.some((id) => table.titles.has(id))) return table;
  throw new UserError(
    'argument',
    `${titles}: has no title for any of the ${plural(itemIds.length, 'item')}; are its ids those of the ${facts.kind ?? 'ratings'}?`,
  );
}

/** @returns number of bytes of the report; 0 without a report */
async function reportOn({ test, valid }: Made, artifact: Artifact, runtime: NodeRuntime, flags: TrainFlags) {
  if (flags.report === undefined) return 0;
  return writeReport(await Recommender.create(artifact, runtime), flags.report, {
    data: test ?? valid,
    source: test ? basename(String(flags.test)) : `validation ${artifact.manifest.data.kind}`,
  });
}

async function tell(made: Exported, flags: TrainFlags): Promise<void> {
  const { fitted, test, valid, artifact, out, before } = made;
  const { manifest, files } = artifact;
  const { seconds: took } = fitted;
  const { data, model } = manifest;
  const judged = test ?? valid;
  const heldOut = await heldOutMeasures(made);
  if (flags.json) {
    const { kind, users, items, ratings } = data;
    printJson({
      ...{ model: model.name, objective: trainedFor(manifest), out, users, items, [kind]: ratings },
      ...(isSolved(model.name) ? model.config : { epochs: manifest.history.length }),
      seconds: { read: made.read, ...took, export: made.export_ },
      train: fitted.metrics.train,
      ...(heldOut.rating && { valid: heldOut.rating }),
      ...(heldOut.ranking && { ranking: heldOut.ranking }),
    });
    return;
  }
  printLine(`Trained ${model.name} on ${plural(data.ratings, nounOf(data.kind))} in ${seconds(took.train)}`);
  const name = test ? 'test' : 'validation';
  const on = judged ? ` on ${count(judged.ratings.length)} ${data.kind}` : '';
  for (const [objective, { model, history, metrics, training }] of Object.entries(partsOf(manifest))) {
    const measures = heldOut[objective as Objective];
    printLine(
      `  ${objective}: ${[
        madeInWords(objective as Objective, { model, history, training }, data),
        ...(metrics.train ? [`training ${measured(metrics.train)}`] : []),
        ...(measures ? [`${name} ${measured(measures)}${on}${besidePopular(measures)}`] : []),
        ...(judged && !measures ? ['no user has a relevant item that is held out'] : []),
      ].join(', ')}`,
    );
  }
  noteReduction(fitted);
  if (judged) await noteItemItem(fitted, judged);
  const bytes = Object.values(files).reduce((sum, { length }) => sum + length, 0);
  printLine(`Wrote ${out} (${size(bytes)}): ${[...Object.keys(files), 'manifest.json'].join(', ')}`);
  printLine(
    flags.report === undefined
      ? `  npx cofactor report ${shellWord(out)} writes a page about what it has learned`
      : reportWritten(flags.report, made.reportBytes),
  );
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

/** Measures of each part on the test ratings, or else on the validation ratings. */
async function heldOutMeasures({
  fitted,
  artifact,
  test,
  valid,
}: Exported): Promise<{ rating?: ValidMetrics; ranking?: RankedOn }> {
  const { rating, ranking } = partsOf(artifact.manifest);
  const judged = test ?? valid;
  if (!judged) return {};
  const ranked = ranking && (await fitted.rankingOn(judged));
  return {
    ...(rating && { rating: test ? await fitted.errors(test) : rating.metrics.valid }),
    ...(ranked && { ranking: ranked }),
  };
}

const besidePopular = (measures: ValidMetrics | RankedOn): string =>
  'popular' in measures ? ` (the most popular items: ${measured(measures.popular)})` : '';

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
): string {
  if (objective === 'rating') return epochsInWords(history);
  const positives = positivesInWords(training as unknown as SolvedPlan, data);
  if (!isSolved(model.name)) return `${epochsInWords(history)} of ${positives}`;
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
  'seen.onnx': ['the items that users have', '--keep-seen'],
  'fold-in-many.onnx': ['a part that ranks', '--objective both'],
};
