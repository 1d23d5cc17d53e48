import { cpus } from 'node:os';
import { Command } from 'commander';
import { type DeviceReport, devices } from '../run/devices.ts';
import { onnxRuntime } from '../run/onnxruntime.ts';
import { INSTALL } from '../train/engines/ort-training/engine.ts';
import { findPackage, PACKAGE } from '../train/engines/ort-training/node.ts';
import { VERSION } from '../version.ts';
import { printJson, printLine } from './output.ts';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('List the devices that can run models here and, for those that cannot, what to install.')
    .option('--json', 'print one JSON object')
    .action(run);
}

/** A device or a package, and the command that installs it. */
interface Part {
  readonly name: string;
  readonly usable: boolean;
  readonly text: string;
  readonly command?: string;
}

async function run({ json }: { json?: boolean }): Promise<void> {
  const { env, listSupportedBackends } = await onnxRuntime();
  const reports = await devices();
  const training = findPackage() !== undefined;
  const about = {
    cofactor: VERSION,
    node: process.version,
    platform: process.platform,
    architecture: process.arch,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    onnxruntime: env.versions.node ?? env.versions.common,
    providers: listSupportedBackends().map(({ name }) => name),
  };
  if (json) {
    printJson({
      ...about,
      devices: reports,
      training: { package: PACKAGE, installed: training, ...(!training && { command: INSTALL }) },
    });
    return;
  }
  printLine(
    `cofactor ${about.cofactor}, Node ${about.node}, ${about.platform} on ${about.architecture} (${about.processor})`,
  );
  printLine(`onnxruntime-node ${about.onnxruntime}, built with ${about.providers.join(', ')}`);
  const parts: Part[] = [
    ...reports.map(partOf),
    {
      name: PACKAGE,
      usable: training,
      text: training
        ? 'installed, for train --engine ort-training'
        : 'not installed; only train --engine ort-training needs it',
      command: training ? undefined : INSTALL,
    },
  ];
  const width = Math.max(...parts.map(({ name }) => name.length));
  for (const { name, usable, text, command } of parts) {
    printLine(`${usable ? '✓' : '✗'} ${name.padEnd(width)}  ${text}`);
    if (command !== undefined) printLine(`  ${' '.repeat(width)}  install: ${command}`);
  }
}

function partOf({ device: name, usable, speed = 1, reason, command }: DeviceReport): Part {
  if (!usable) return { name, usable, text: `not usable: ${reason}`, command };
  if (name === 'cpu') return { name, usable, text: 'usable, and the default' };
  const slow = speed < 1 ? '; the driver may have no GPU' : '';
  const text = `usable: matrix products are ${speed} times as fast as on one CPU thread${slow}`;
  return { name, usable, text };
}
