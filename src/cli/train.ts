import { existsSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { CHECKPOINT, checkTarget, readArtifact } from '../artifact/artifact.ts';
import type { Ratings } from '../data/dataset/ratings.ts';
import { isStored } from '../data/dataset/stored.ts';
import { readItems } from '../data/read/items.ts';
import { readRatings } from '../data/read/read.ts';
import { UserError } from '../errors.ts';
import { nodeRuntime } from '../run/node.ts';
import { removeCheckpoint } from '../train/checkpoint.ts';
import { TRAINING_FOLDER, VOCABULARY } from '../train/engines/ort-training/export.ts';
import { ortTraining } from '../train/engines/ort-training/node.ts';
import { bytesOf } from '../train/recipe/config.ts';
import { definitionOf, type Recipe, trainOptionsOf } from '../train/recipe/recipe.ts';
import { type TrainedModel, train } from '../train/train.ts';
import { printConfig, withWholeConfig } from './config.ts';
import {
  chosenDevice,
  type DeviceFlags,
  deviceOption,
  number,
  numbers,
  readFlags,
  withReadOptions,
} from './options.ts';
import { count, error, plural, printJson, printLine, printNote, seconds, size } from './output.ts';
import { progressBar } from './progress.ts';
import { type RecipeFlags, recipeOf, withRecipeOptions } from './recipe-options.ts';
import { reportWritten, writeReport } from './report.ts';
import { checkHeldOut, type DataFlags, readData, reportReading, stem } from './train-data.ts';

interface TrainFlags extends Omit<RecipeFlags, 'engine'>, DataFlags, DeviceFlags {
  engine: NonNullable<Recipe['engine']> | 'ort-training';
  out?: string;
  titles?: string;
  quantize?: 'float16' | 'int8';
  keepSeen?: boolean;
  report?: string;
  resume?: boolean;
  json?: boolean;
  printConfig?: boolean;
}

export function trainCommand(): Command {
  const command = withRecipeOptions(
    new Command('train')
      .description('Train a model on a file of ratings: CSV, TSV, Parquet or JSON lines, compressed or not.')
      .argument('<file...>', 'ratings: files or patterns'),
    { engines: ['ort-training'] },
  )
    .option('--out <folder>', 'where the model goes (default: artifacts/FILE-MODEL)')
    .option('--test <file>', 'ratings to report the error on; they take no part in training')
    .option(
      '--valid <fraction>',
      'hold out this part of the ratings, which chooses the best epoch',
      number({ above: 0, below: 1 }),
    )
    .addOption(
      new Option('--split <how>', 'what --valid holds out (default: random)').choices([
        'random',
        'time',
        'leave-last-out',
      ]),
    )
    .addOption(deviceOption())
    .option('--resume', 'go on with a training that was cut off')
    .option('--json', 'print one JSON object')
    .option('--print-config', 'print the choices made, for a cofactor.config.json, and train nothing');
  const group = (flags: string, description: string): Option => new Option(flags, description);
  for (const option of [
    group('--workers <number>', 'strata: threads (default: as many as there are cores)').argParser(
      number({ whole: true, from: 1 }),
    ),
    group(
      '--blocks <users,items>',
      'strata: into how many blocks users and items are cut (default: by the data)',
    ).argParser(numbers({ whole: true, from: 1 })),
    group(
      '--memory <size>',
      'what reading many ratings may take, such as 1GB (default: 2GB); the model’s tables come on top',
    ).argParser(bytes),
    group('--patience <epochs>', 'stop after so many epochs without a better validation error').argParser(
      number({ whole: true, from: 1 }),
    ),
  ]) {
    command.addOption(option.helpGroup('Training:'));
  }
  for (const option of [
    group('--titles <file>', 'a table of item ids and titles, to keep in the model'),
    group(
      '--keep-seen',
      'keep what each user rated, so that recommendations leave it out (2 bytes a rating)',
    ),
    group('--quantize <type>', 'smaller files: tables of half the bytes, or a quarter').choices([
      'float16',
      'int8',
    ]),
    group('--report <file>', 'write a page about the model, as cofactor report does'),
  ]) {
    command.addOption(option.helpGroup('Files:'));
  }
  return withWholeConfig(withReadOptions(command)).action(run);
}

function checkStrata({ engine, blocks, workers, lazy, device }: TrainFlags): void {
  const asked = engine === 'strata' || blocks !== undefined;
  if (engine !== 'auto' && engine !== 'strata' && (blocks ?? workers) !== undefined)
    throw new UserError(`--blocks and --workers are for training by strata; leave out --engine ${engine}`);
  if (asked && lazy === false)
    throw new UserError('training by strata updates only the rows of a batch; leave out --no-lazy');
  if (asked && device !== 'cpu') throw new UserError('training by strata is for the CPU; leave out --device');
}

function bytes(text: string): number {
  const size = bytesOf(text);
  if (size > 0) return size;
  throw new InvalidArgumentError('Give a size of at least 500MB, such as 1GB.');
}

async function run(files: string[], flags: TrainFlags): Promise<void> {
  const { test, resume = false, json } = flags;
  const recipe = recipeOf({
    ...flags,
    engine: flags.engine === 'ort-training' ? 'epoch-graph' : flags.engine,
  });
  const out = flags.out ?? join('artifacts', `${stem(files[0])}-${flags.model}`);
  const definition = definitionOf(recipe);
  checkHeldOut(flags);
  checkStrata(flags);
  if (flags.printConfig) return printConfig({ ...flags });
  await checkTarget(out);
  const engine = flags.engine === 'ort-training' ? await ortTraining() : undefined;
  if (engine && flags.device !== 'cpu' && flags.device !== 'auto')
    throw new UserError('--engine ort-training trains in WebAssembly, on the CPU; leave out --device');
  if (engine && flags.device === 'auto')
    printNote('Running on the CPU: ONNX Runtime’s training API trains in WebAssembly');
  const runtime = await nodeRuntime({ device: engine ? 'cpu' : await chosenDevice(flags) });
  const existed = existsSync(out);
  const path = join(out, CHECKPOINT);
  if (engine && resume && existsSync(path))
    printNote('ONNX Runtime’s training API does not tell its optimizer’s state: it begins with a fresh one');

  const started = performance.now();
  const byStrata = flags.engine === 'strata' || flags.blocks !== undefined;
  const mayStore = byStrata || (flags.engine === 'auto' && runtime.device === 'cpu' && flags.lazy !== false);
  const data = await readData(files, flags, out, mayStore);
  const { train: ratings, valid } = data;
  const bar = progressBar();
  const interrupt = onInterrupt();
  let model: TrainedModel;
  let testRatings: Ratings | undefined;
  let read = 0;
  try {
    if (test !== undefined)
      testRatings = await readRatings(test, { ...readFlags(flags), vocabulary: ratings });
    const table = flags.titles === undefined ? undefined : await readItems(flags.titles);
    if (table && !ratings.itemIds.some((id) => table.titles.has(id)))
      throw new UserError(
        `${flags.titles}: has a title for none of the ${plural(ratings.itemIds.length, 'item')}; are its ids those of the ratings?`,
      );
    read = (performance.now() - started) / 1000;
    if (!json) reportReading(data, files, read);
    model = await train(ratings, definition, {
      ...trainOptionsOf(recipe, engine || runtime.device !== 'cpu' ? 'adamw' : 'row-adagrad'),
      ...(engine && { engine }),
      ...(flags.blocks && { blocks: flags.blocks as [number, number] }),
      patience: flags.patience,
      workers: flags.workers,
      runtime,
      valid,
      ...table,
      keepSeen: flags.keepSeen,
      precision: flags.quantize,
      checkpoint: { path, resume },
      signal: interrupt.signal,
      onProgress: bar.update,
    });
  } catch (error) {
    // The folder may have been made for a checkpoint that is gone again.
    if (!existed) await rmdir(out).catch(() => undefined);
    throw error;
  } finally {
    bar.stop();
    interrupt.stop();
    if (isStored(ratings)) await ratings.close();
  }
  const exporting = performance.now();
  const before = existed ? await readArtifact(out).catch(() => undefined) : undefined;
  await model.save(out);
  const export_ = model.seconds.export + (performance.now() - exporting) / 1000;
  const { manifest } = model;
  // What was cut off can still go on.
  const cutOff = interrupt.signal.aborted && manifest.history.length < Number(manifest.training.epochs);
  if (!cutOff) await removeCheckpoint(path);

  const reportBytes =
    flags.report === undefined
      ? 0
      : await writeReport(await model.recommender(runtime), flags.report, {
          data: testRatings ?? valid,
          source: testRatings ? basename(String(test)) : 'validation ratings',
        });
  const heldOut = testRatings ? await model.evaluate(testRatings) : model.manifest.metrics.valid;
  if (json) {
    printJson({
      model: manifest.model.name,
      out,
      users: manifest.data.users,
      items: manifest.data.items,
      ratings: manifest.data.ratings,
      epochs: manifest.history.length,
      seconds: { read, ...model.seconds, export: export_ },
      train: manifest.metrics.train,
      ...(heldOut && { valid: heldOut }),
    });
    return;
  }
  printLine(
    `Trained ${manifest.model.name} on ${plural(manifest.data.ratings, 'rating')}: ${plural(manifest.history.length, 'epoch')} in ${seconds(model.seconds.train)}`,
  );
  printLine(`  training RMSE ${error(manifest.metrics.train.rmse)}`);
  if (heldOut) {
    const name = testRatings ? 'test' : 'validation';
    const size = count((testRatings ?? (valid as Ratings)).ratings.length);
    printLine(`  ${name} RMSE ${error(heldOut.rmse)}, MAE ${error(heldOut.mae)} on ${size} ratings`);
  }
  const bytes = Object.values(model.artifact.files).reduce((sum, { length }) => sum + length, 0);
  const names = [...Object.keys(model.artifact.files), 'manifest.json'].join(', ');
  printLine(`Wrote ${out} (${size(bytes)}): ${names}`);
  printLine(
    flags.report === undefined
      ? `  cofactor report ${out} shows what it has learned`
      : reportWritten(flags.report, reportBytes),
  );
  const exported = join(out, TRAINING_FOLDER);
  if (existsSync(join(exported, VOCABULARY)))
    printNote(`${exported} is of the model before; cofactor export ${out} --training writes it anew`);
  for (const [file, [what, flag]] of Object.entries(OPTIONAL_FILES))
    if (before?.files[file] && !model.artifact.files[file])
      printNote(`The model that was in ${out} had ${what}, which this one has not; ${flag} keeps them`);
  if (cutOff) printNote(`Stopped early; with the same settings, --resume goes on from ${path}`);
}

const OPTIONAL_FILES = {
  'titles.json': ['titles', '--titles'],
  'seen.onnx': ['what users rated', '--keep-seen'],
};

/** The first Ctrl-C asks training to end after the running epoch; the second ends the program. */
function onInterrupt(): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  const listener = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
    printNote(
      '\nEnding after this epoch; Ctrl-C again ends at once, and --resume goes on from the epoch before',
    );
  };
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return {
    signal: controller.signal,
    stop() {
      process.off('SIGINT', listener);
      process.off('SIGTERM', listener);
    },
  };
}
