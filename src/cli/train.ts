import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import type { Objective } from '../../graphs/models/model.ts';
import {
  CHECKPOINT,
  openModelFolder,
  readArtifact,
  TRIAL_CHECKPOINT,
  writeInto,
} from '../artifact/artifact.ts';
import { MADE_BY } from '../document/html.ts';
import { UserError } from '../errors.ts';
import { type NodeRuntime, nodeRuntime } from '../run/node.ts';
import { removeCheckpoint } from '../train/checkpoint.ts';
import { trainingChoices } from '../train/recipe/choices.ts';
import type { RankingPlan } from '../train/recipe/plan.ts';
import { checkRecipe } from '../train/recipe/recipe.ts';
import { checkEngine } from '../train/recipe/resolve.ts';
import type { Fitted } from '../train/train.ts';
import { type Choices, kinds } from '../util/choices.ts';
import type { OwnFolder } from '../util/own-folder.ts';
import { chosenDevice, chosenFrom, JSON_OBJECT, MEANING, recipeOf, withChoices } from './choice-options.ts';
import { KEYS, printConfig, withConfig } from './config.ts';
import { dryRun } from './dry-run.ts';
import { printNote } from './output.ts';
import { checkDefault, checkOutputs } from './outputs.ts';
import { checkHeldOut, stem } from './train-data.ts';
import { readAndTrain, type TrainFlags } from './train-run.ts';
import { reportOn, tell } from './train-summary.ts';

const own = {
  resume: { kind: kinds.flag, help: 'resume a training that was interrupted' },
  ...JSON_OBJECT,
  dryRun: { kind: kinds.flag, help: 'print how the files are understood, and do not train' },
  printConfig: {
    kind: kinds.flag,
    help: 'print all choices, as a cofactor.config.json, and do not train',
  },
} as const satisfies Choices;

export function trainCommand(): Command {
  const command = new Command('train')
    .description(
      'Train a model on a file of ratings, clicks, plays or purchases: CSV, TSV, Parquet or JSON, also compressed.',
    )
    .argument(
      '<file...>',
      'ratings or interactions: files, patterns, folders of parts, or - for standard input',
    );
  // The flag of earlier versions for what is the default now.
  const former = new Option('--keep-seen').implies({ seen: true }).hideHelp();
  return withConfig(withChoices(command, KEYS, own).addOption(former), KEYS).action(run);
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
  const { seen, quantize: precision, resume, engine } = flags;
  const out = folder.directory;
  const checkpoints = [TRIAL_CHECKPOINT, CHECKPOINT].map((name) => folder.hidden(name));
  const checkpoint = checkpoints.find((path) => existsSync(path));
  if (engine === 'ort-training' && resume && checkpoint !== undefined)
    printNote('The optimizer’s state starts at zero, because ONNX Runtime’s training API cannot store it');
  if (!resume && checkpoint !== undefined)
    printNote(
      `${out} has the checkpoint of a training that was stopped, which this one replaces; to go on from it, stop now, and give --resume`,
    );
  const made = await readAndTrain(files, flags, folder, runtime);
  const exporting = performance.now();
  const before = await readArtifact(out).catch(() => undefined);
  const artifact = await made.fitted.artifact({
    ...made.table,
    ...{ seen, precision },
    reading: chosenFrom(MEANING, flags),
    noun: made.noun,
    judged: made.judgement,
  });
  // An interrupted training can be resumed.
  const { objectives } = checkRecipe(recipeOf(flags), artifact.manifest.data.kind);
  const cutOff = made.aborted && (made.stoppedJudging || !isComplete(made.fitted, objectives));
  const resumes = `with the same settings, --resume resumes from ${checkpoints.find((path) => existsSync(path))}`;
  if (cutOff && before)
    throw new UserError(
      'training',
      `stopped before the end, so ${out} keeps the model that it had; ${resumes}`,
    );
  await writeInto(folder, artifact);
  const export_ = (performance.now() - exporting) / 1000;
  if (!cutOff) for (const path of checkpoints) await removeCheckpoint(path);
  const reportBytes = await reportOn(made, artifact, runtime, flags);
  await tell({ ...made, artifact, out, export_, reportBytes, before }, flags);
  const isHalf = made.fitted.plan.training.objective === 'rating' && !made.fitted.ranking;
  const before_ = isHalf && objectives.length > 1 ? ' before the part that ranks' : '';
  const without = made.stoppedJudging
    ? ', while the recipe was judged: the model is trained without what is held out'
    : '';
  if (cutOff) printNote(`Stopped early${before_}${without}; ${resumes}`);
}

/** Whether a training took all of its epochs, for each of its objectives. */
const isComplete = (fitted: Fitted, objectives: readonly Objective[]): boolean =>
  [fitted, fitted.ranking].filter((part) => part !== undefined).length === objectives.length &&
  [fitted, fitted.ranking].every((part) => {
    const { epochs = 1 } = (part?.plan.training ?? {}) as Partial<RankingPlan>;
    return !part || part.history.length === epochs;
  });
