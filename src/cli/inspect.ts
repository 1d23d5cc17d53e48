import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { isSolved } from '../../graphs/models/index.ts';
import { readArtifact } from '../artifact/artifact.ts';
import type { Judgement } from '../artifact/judgement.ts';
import { accessOf, type Manifest, partsOf, type TrainedPart } from '../artifact/manifest.ts';
import { judgedOn, verdictOf } from '../artifact/verdict.ts';
import { UserError } from '../errors.ts';
import { decodeModel, describe, GraphError, type GraphFile, type ModelFile } from '../onnx/index.ts';
import { epochsInWords, measured, nounOf, plural, printJson, printLine, printTable, size } from './output.ts';
import { judgementTable } from './train-summary.ts';

export function inspectCommand(): Command {
  return new Command('inspect')
    .description('Show what a trained model or an ONNX file contains.')
    .argument('<path>', 'a folder, or a file.onnx')
    .option('--graph', 'show what is in each file of a folder: inputs, tensors and operators')
    .option('--json', 'print one JSON object')
    .action(run);
}

async function run(path: string, { graph, json }: { graph?: boolean; json?: boolean }): Promise<void> {
  const information = await stat(path).catch(() => undefined);
  if (!information) throw new UserError('argument', `${path}: there is no such file or folder`);
  if (!information.isDirectory()) {
    const summary = summarize(await readFile(path), path);
    if (json) printJson(summary);
    else printFile(path, summary);
    return;
  }
  const { manifest, files } = await readArtifact(path, { trust: true });
  const summaries = Object.entries(files)
    .filter(([name]) => name.endsWith('.onnx'))
    .map(([name, bytes]) => [name, summarize(bytes, join(path, name))] as const);
  if (json) {
    printJson({ manifest, files: Object.fromEntries(summaries) });
    return;
  }
  printManifest(manifest);
  if (graph)
    for (const [name, summary] of summaries) {
      printLine('');
      printFile(name, summary);
    }
}

interface Summary {
  readonly bytes: number;
  readonly irVersion: number;
  readonly opsets: ModelFile['opsets'];
  readonly producer: string;
  readonly metadata: ModelFile['metadata'];
  readonly graph: string;
  /** Names and types, such as `user: string[n]`. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Names and types of the tensors in the file. */
  readonly initializers: readonly string[];
  /** Number of ids of each LabelEncoder. */
  readonly vocabularies: Readonly<Record<string, number>>;
  /** Number of uses of each operator, including those in loops. */
  readonly operators: Readonly<Record<string, number>>;
}

function summarize(bytes: Uint8Array, path: string): Summary {
  let model: ModelFile;
  try {
    model = decodeModel(bytes);
  } catch (problem) {
    if (problem instanceof GraphError)
      throw new UserError('argument', `${path}: ${problem.message.split('\n')[0]}`);
    throw problem;
  }
  const { graph, opsets, irVersion, producer, metadata } = model;
  const typed = ({ name, ...type }: GraphFile['inputs'][number]): string => `${name}: ${describe(type)}`;
  const operators: Record<string, number> = {};
  const vocabularies: Record<string, number> = {};
  const count = (nodes: GraphFile['nodes']): void => {
    for (const { operator, name, attributes } of nodes) {
      operators[operator] = (operators[operator] ?? 0) + 1;
      if (attributes.keys_strings && 'strings' in attributes.keys_strings) {
        vocabularies[name] = attributes.keys_strings.strings.length;
      }
      for (const attribute of Object.values(attributes))
        if ('graph' in attribute) count(attribute.graph.nodes);
    }
  };
  count(graph.nodes);
  return {
    bytes: bytes.length,
    irVersion,
    opsets,
    producer,
    metadata,
    graph: graph.name,
    inputs: graph.inputs.map(typed),
    outputs: graph.outputs.map(typed),
    initializers: graph.initializers.map(typed),
    vocabularies,
    operators,
  };
}

/** What was trained, on what, and how good it is come first; hyperparameters come last. */
function printManifest(manifest: Manifest): void {
  const { data, cofactor, device, libraries, judged, model } = manifest;
  printLine(
    `${model.name}, trained on ${plural(data.ratings, nounOf(data.kind))}${data.kind === 'ratings' ? ` from ${data.low} to ${data.high}` : ''}: ${plural(data.users, 'user')}, ${plural(data.items, 'item')}`,
  );
  if (judged) printJudgement(judged, model.name);
  else printLine('  not judged: nothing was held out');
  printLine('Files');
  printTable(
    Object.entries(manifest.files).map(([name, file]) => [
      `  ${name}`,
      FILES[name] ?? '',
      accessOf(name, file),
      size(file.bytes),
    ]),
  );
  printLine(
    `Made by cofactor ${cofactor} with ${Object.entries(libraries)
      .map((entry) => entry.join(' '))
      .join(', ')}${device ? ` on ${device}` : ''}`,
  );
  for (const part of Object.values(partsOf(manifest))) printPart(part);
}

function printJudgement(judgement: Judgement, model: string): void {
  const { sentence, warnings } = verdictOf(judgement);
  printLine(`  ${sentence}`);
  for (const warning of warnings) printLine(`  Warning: ${warning}`);
  printLine(`  ${judgedOn(judgement)}`);
  printTable(judgementTable(judgement, model));
}

/** What each file of a model is for. */
const FILES: Readonly<Record<string, string>> = {
  'predict.onnx': 'the prediction for a user and an item',
  'recommend.onnx': 'the best items for users',
  'similar.onnx': 'items that are similar to an item',
  'fold-in.onnx': 'the best items for somebody new',
  'fold-in-many.onnx': 'the best items for many who are new',
  'factors.onnx': 'what the model learned about items',
  'seen.onnx': 'items that each user has, which recommendations leave out',
  'items.json': 'ids of items, and how many users have each',
  'titles.json': 'titles of items',
  'train.onnx': 'a step of training',
  'train-ranking.onnx': 'a step of training to rank',
};

function printPart({ model, training, metrics, history }: TrainedPart): void {
  const settings = (values: Readonly<Record<string, unknown>>): string =>
    Object.entries(values)
      .map(([key, value]) => `${key} ${JSON.stringify(value)}`)
      .join(', ');
  const { objective, ...others } = training;
  const { train, valid } = metrics;
  printLine(`Objective ${objective}: ${settings(model.config)}`);
  printLine(`  training: ${settings(others)}`);
  printLine(
    `  ${[
      isSolved(model.name) ? 'computed in closed form' : epochsInWords(history),
      ...(train ? [`training ${measured(train)}`] : []),
      ...(valid ? [`validation ${measured(valid)}`] : []),
    ].join(', ')}`,
  );
}

function printFile(name: string, summary: Summary): void {
  const opsets = Object.entries(summary.opsets).map(
    ([domain, version]) => `${domain || 'ONNX'} opset ${version}`,
  );
  printLine(`${name}: ${size(summary.bytes)}, IR version ${summary.irVersion}, ${opsets.join(', ')}`);
  printLine(`  inputs: ${summary.inputs.join(', ') || 'none'}`);
  printLine(`  outputs: ${summary.outputs.join(', ') || 'none'}`);
  for (const initializer of summary.initializers) printLine(`  contains ${initializer}`);
  for (const [node, ids] of Object.entries(summary.vocabularies))
    printLine(`  ${node}: ${plural(ids, 'id')}`);
  const operators = Object.entries(summary.operators).map(([operator, uses]) =>
    uses > 1 ? `${operator} × ${uses}` : operator,
  );
  printLine(`  operators: ${operators.join(', ') || 'none'}`);
  for (const [key, value] of Object.entries(summary.metadata)) {
    printLine(`  ${key}: ${value.length > 200 ? `${value.slice(0, 200)}…` : value}`);
  }
}
