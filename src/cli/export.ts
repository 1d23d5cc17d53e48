import { basename, join, resolve } from 'node:path';
import { Command } from 'commander';
import { readArtifact } from '../artifact/artifact.ts';
import { writeTritonRepository } from '../artifact/triton.ts';
import { UserError } from '../errors.ts';
import { TRAINING_FOLDER, writeTrainingFiles } from '../train/engines/ort-training/export.ts';
import { trainingBlocks } from '../train/engines/strata/graph.ts';
import { type Choices, type Given, kinds } from '../util/choices.ts';
import { replaceFile } from '../util/files.ts';
import { withChoices } from './choice-options.ts';
import { printLine } from './output.ts';

const own = {
  untrained: { kind: kinds.flag, help: '--training: begin where training began, not with what was learned' },
  learningRate: {
    kind: kinds.positive,
    help: '--training: one learning rate throughout (default: the schedule that it was trained by)',
  },
} as const satisfies Choices;

type ExportFlags = Given<typeof own> & {
  readonly triton?: string;
  readonly training?: string | true;
  readonly trainingBlocks?: string | true;
};

export function exportCommand(): Command {
  const command = new Command('export')
    .description('Write a trained model in the form that another server, or another trainer, wants.')
    .argument('<folder>', 'a trained model')
    .option('--triton <repository>', 'add it to this model repository of Triton Inference Server')
    .option(
      '--training [folder]',
      'write what ONNX Runtime’s training API trains it on with, on phones too (default: FOLDER/training)',
    )
    .option(
      '--training-blocks [file]',
      'write the graph that trains a block of users and items, for engines that spread training over machines (default: FOLDER/training-blocks.onnx)',
    )
    .addHelpText('after', '\nFor example: cofactor export movies --training');
  return withChoices(command, [], own).action(run);
}

async function run(directory: string, flags: ExportFlags): Promise<void> {
  const { triton, training, trainingBlocks: blocks, ...options } = flags;
  if (triton === undefined && training === undefined && blocks === undefined)
    throw new UserError(
      'argument',
      'say what to write: --triton REPOSITORY, --training or --training-blocks',
    );
  if (training === undefined && Object.keys(options).length > 0)
    throw new UserError('argument', '--untrained and --learning-rate are for --training');
  const artifact = await readArtifact(directory);
  if (triton !== undefined) {
    const models = await writeTritonRepository(triton, basename(resolve(directory)), artifact);
    for (const { model, version } of models)
      printLine(`Wrote ${join(triton, model, String(version), 'model.onnx')}`);
  }
  if (training !== undefined) {
    const folder = training === true ? join(directory, TRAINING_FOLDER) : training;
    const files = await writeTrainingFiles(folder, artifact, options);
    printLine(`Wrote ${folder}: ${files.join(', ')}`);
  }
  if (blocks !== undefined) {
    const file = blocks === true ? join(directory, 'training-blocks.onnx') : blocks;
    await replaceFile(file, trainingBlocks(artifact.manifest), 'the graph');
    printLine(`Wrote ${file}`);
  }
}
