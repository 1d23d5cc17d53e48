import { basename, join, resolve } from 'node:path';
import { Command } from 'commander';
import { readArtifact } from '../artifact/artifact.ts';
import { writeTritonRepository } from '../artifact/triton.ts';
import { printLine } from './output.ts';

export function exportCommand(): Command {
  return new Command('export')
    .description('Write a trained model in the form that another server wants.')
    .argument('<folder>', 'a trained model')
    .requiredOption('--triton <repository>', 'add it to this model repository of Triton Inference Server')
    .action(run);
}

async function run(directory: string, { triton }: { triton: string }): Promise<void> {
  const artifact = await readArtifact(directory);
  for (const { model, version } of await writeTritonRepository(
    triton,
    basename(resolve(directory)),
    artifact,
  ))
    printLine(`Wrote ${join(triton, model, String(version), 'model.onnx')}`);
}
