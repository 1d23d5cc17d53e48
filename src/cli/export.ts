import { basename, join, resolve } from 'node:path';
import { Command } from 'commander';
import { writeArtifact } from '../artifact/artifact.ts';
import type { Artifact } from '../artifact/manifest.ts';
import { published } from '../artifact/site.ts';
import { writeTritonRepository } from '../artifact/triton.ts';
import { UserError } from '../errors.ts';
import { PRODUCER } from '../onnx/file.ts';
import { TRAINING_FOLDER, writeTrainingFiles } from '../train/engines/ort-training/export.ts';
import { trainingBlocks as blockGraphOf } from '../train/engines/strata/graph.ts';
import { type Choices, type Given, kinds } from '../util/choices.ts';
import { replaceFile } from '../util/files.ts';
import { withChoices } from './choice-options.ts';
import { OPENING, readModel } from './open-model.ts';
import { plural, printLine, size } from './output.ts';
import { checkDefault, checkOutputs } from './outputs.ts';
import { whatIsPublic } from './what-is-public.ts';

const ofTraining = {
  untrained: {
    kind: kinds.flag,
    help: '--training: start from initial values instead of the trained parameters',
  },
  learningRate: {
    kind: kinds.positive,
    help: '--training: a constant learning rate (default: the schedule that the model was trained with)',
  },
} as const satisfies Choices;

const own = { ...OPENING, ...ofTraining } as const satisfies Choices;

type ExportFlags = Given<typeof own> & {
  readonly triton?: string;
  readonly training?: string | true;
  readonly trainingBlocks?: string | true;
  readonly public?: string;
};

export function exportCommand(): Command {
  const command = new Command('export')
    .description('Export a trained model for a web page, another server or another training program.')
    .argument('<folder>', 'a trained model')
    .option(
      '--public <folder>',
      'write the part that may be published: a model folder with the files about items, and none about users',
    )
    .option('--triton <repository>', 'add the model to this model repository of Triton Inference Server')
    .option(
      '--training [folder]',
      'write the files with which ONNX Runtime’s training API continues to train it, on phones too (default: FOLDER/training)',
    )
    .option(
      '--training-blocks [file]',
      'write the graph that trains a block of users and items, for training on several machines (default: FOLDER/training-blocks.onnx)',
    )
    .addHelpText('after', '\nFor example: cofactor export movies --training');
  return withChoices(command, [], own).action(run);
}

async function run(directory: string, flags: ExportFlags, command: Command): Promise<void> {
  const { triton, training: toTrain, trainingBlocks: blocks, public: open, trust, ...options } = flags;
  if ([triton, toTrain, blocks, open].every((one) => one === undefined))
    throw new UserError(
      'argument',
      'there is nothing to write; give --public FOLDER, --triton REPOSITORY, --training or --training-blocks',
    );
  if (toTrain === undefined && Object.keys(options).length > 0)
    throw new UserError('argument', '--untrained and --learning-rate are for --training');
  const training = toTrain === true ? join(directory, TRAINING_FOLDER) : toTrain;
  const trainingBlocks = blocks === true ? join(directory, 'training-blocks.onnx') : blocks;
  if (blocks === true) await checkDefault(trainingBlocks as string, PRODUCER, '--training-blocks');
  await checkOutputs(command, { files: { trainingBlocks }, folders: { training, public: open } });
  const artifact = await readModel(directory, { trust });
  if (open !== undefined) await writePublic(open, artifact);
  if (triton !== undefined) {
    const models = await writeTritonRepository(triton, basename(resolve(directory)), artifact);
    for (const { model, version } of models)
      printLine(`Wrote ${join(triton, model, String(version), 'model.onnx')}`);
  }
  if (training !== undefined) {
    const files = await writeTrainingFiles(training, artifact, options);
    printLine(`Wrote ${training}: ${files.join(', ')}`);
  }
  if (trainingBlocks !== undefined) {
    await replaceFile(trainingBlocks, blockGraphOf(artifact.manifest), 'the graph');
    printLine(`Wrote ${trainingBlocks}`);
  }
}

async function writePublic(directory: string, artifact: Artifact): Promise<void> {
  const part = published(artifact);
  await writeArtifact(directory, part);
  const files = Object.values(part.files);
  const bytes = files.reduce((sum, { length }) => sum + length, 0);
  printLine(
    `Wrote ${directory}: ${plural(files.length, 'file')}, ${size(bytes)}; upload it to any static host`,
  );
  printLine(whatIsPublic(artifact));
}
