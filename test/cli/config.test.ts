import { chown, lchown, rename, rm, symlink } from 'node:fs/promises';
import * as v from 'valibot';
import { afterEach, expect, test, vi } from 'vitest';
import { isSolved, modelNames, models } from '../../graphs/models/index.ts';
import { choicesFor } from '../../src/train/recipe/choices.ts';
import { allChoices, type CofactorConfig, runChoices } from '../../src/train/recipe/run-choices.ts';
import type { Choice, Choices } from '../../src/util/choices.ts';
import { mapValues } from '../../src/util/map-values.ts';
import { workplace } from '../support/cli.ts';

const { write, at, text, failure, here, manifest, contents } = workplace();

const flags = ['--model', 'mlp', '--factors', '4', '--hidden', '8,4', '--epochs', '2', '--user-column', '1'];
const config = { model: 'mlp', factors: 4, hidden: [8, 4], epochs: 2, userColumn: 1 };
const source = `export default ${JSON.stringify(config)}`;

/** What a run makes that goes by a file. */
async function withFile(file: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await here('train', 'ratings.csv', ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: `Choices from ${file}\n` });
  return stdout;
}

test.each([
  ['json', JSON.stringify(config)],
  ['js', source],
  ['mjs', source],
  [
    'ts',
    `import type { CofactorConfig } from 'cofactor';\nenum Width { small = 4 }
export default { ...${JSON.stringify(config)}, factors: Width.small } satisfies CofactorConfig;`,
  ],
])('cofactor.config.%s stands for flags', async (extension, content) => {
  const file = `cofactor.config.${extension}`;
  await text('train', 'ratings.csv', '--out', 'by-flags', ...flags);
  await write(file, content);
  await withFile(file, '--out', 'by-file');
  await rm(at(file));
  expect(await manifest('by-file')).toEqual(await manifest('by-flags'));
});

test('flags win, and --no-config ignores the file', async () => {
  await write('cofactor.config.json', JSON.stringify({ ...config, sparseUpdates: true }));
  const printed = JSON.parse(
    await withFile('cofactor.config.json', '--print-config', '--factors', '5', '--no-sparse-updates'),
  );
  expect(printed).toMatchObject({ ...config, factors: 5, sparseUpdates: false, userColumn: '1' });
  const ignored = JSON.parse(await text('train', 'ratings.csv', '--no-config', '--print-config'));
  expect(ignored).toMatchObject({ model: 'dot-bias', objective: 'auto' });
  // It is another number for each objective.
  expect(ignored).not.toHaveProperty('factors');
  await rm(at('cofactor.config.json'));
});

test('what --print-config prints trains the same, and it trains nothing', async () => {
  const more = ['--valid', '0.2', '--patience', '1', '--memory', '1GB', '--seen', '--quantize', 'float16'];
  await text('train', 'ratings.csv', '--out', 'first', ...flags, ...more);
  const before = await contents();
  const printed = await text('train', 'ratings.csv', '--out', 'second', ...flags, ...more, '--print-config');
  expect(await contents()).toEqual(before);
  expect(JSON.parse(printed)).toMatchObject({
    ...config,
    userColumn: '1',
    objective: 'auto',
    seed: 1,
    device: 'cpu',
    out: 'second',
    valid: 0.2,
    patience: 1,
    memory: 1e9,
    seen: true,
    quantize: 'float16',
  });
  await write('printed.json', printed);
  await withFile('printed.json', '--config', 'printed.json');
  expect(await manifest('second')).toEqual(await manifest('first'));
});

test.each(['rating', 'ranking'])(
  'what --print-config prints for %s has no choices of the other',
  async (objective) => {
    const one = [...flags, '--objective', objective];
    const printed = await text('train', 'ratings.csv', '--out', `as ${objective}`, ...one, '--print-config');
    expect('loss' in JSON.parse(printed)).toBe(objective === 'rating');
    await write('one.json', printed);
    await withFile('one.json', '--config', 'one.json');
    await text('train', 'ratings.csv', '--out', `by ${objective}`, ...one);
    expect(await manifest(`as ${objective}`)).toEqual(await manifest(`by ${objective}`));
  },
);

test.each([
  ['key.json', '{ "learningrate": 1 }', /has no choice "learningrate"; did you mean learningRate\?/],
  ['former.json', '{ "spread": 0.1 }', /has no choice "spread"; it is called initialStd now/],
  ['column.json', '{ "user": "who" }', /has no choice "user"; it is called userColumn now/],
  ['far.json', '{ "colour": 1 }', /has no choice "colour"; it takes the flags of cofactor train/],
  [
    'value.json',
    '{ "factors": "many" }',
    /factors is "many"; give a width, or one for users and one for items, or auto$/,
  ],
  ['deep.json', '{ "hidden": [64, "a"] }', /hidden.1 is "a"; give a whole number from 1 to 100,000$/],
  ['text.json', '{ "valid": "0.2" }', /valid is "0.2"; give a fraction between 0 and 1$/],
  [
    'choice.json',
    '{ "engine": "gpu" }',
    /engine is "gpu"; give one of auto, epoch-graph, strata, ort-training$/,
  ],
  ['memory.json', '{ "memory": "1kB" }', /memory is "1kB"; give a size of at least 500MB, such as "1GB"$/],
  ['together.json', '{ "patience": 1, "valid": false }', /--patience needs held-out ratings/],
  ['list.json', '[1]', /holds \[ 1 \]; give an object/],
  ['cut.json', '{ "factors": 4', /is not JSON/],
  ['throws.ts', 'throw new Error("out of\\ncoffee")', /cannot be loaded: out of coffee/],
  ['broken.ts', 'export default {', /cannot be loaded: ParseError.*broken.ts:/],
  ['import.mjs', 'import "nothing"; export default {}', /cannot be loaded: Cannot find module 'nothing'$/],
  ['named.js', 'export const factors = 4', /has no default export/],
  ['function.ts', 'export default () => ({})', /holds \[Function.*give an object/],
  ['big.mjs', 'export default { seed: 1n }', /seed is 1n; give a whole number/],
])('%s is one line', async (file, content, message) => {
  await write(file, content);
  const { code, stdout, stderr } = await here('train', 'ratings.csv', '--config', file, '--print-config');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  const [last] = stderr.trimEnd().split('\n').slice(-1);
  expect(last).toMatch(file === 'together.json' ? /^cofactor: / : new RegExp(`^cofactor: ${file}: `));
  expect(last).toMatch(message);
});

/** A value for each choice there is; all but `test` may be given together. */
/** Values of choices, all of one training of the MLP; what is not among them gets some value that it may have. */
const every: CofactorConfig = {
  model: 'mlp',
  factors: [6, 5],
  hidden: [8, 4],
  dropout: [0.1, 0, 0.2],
  range: [0, 5.5],
  initialStd: 0.02,
  spectral: [0.4, 0],
  epochs: 3,
  batchSize: 32,
  learningRate: 0.05,
  schedule: 'constant',
  optimizer: 'adamw',
  weightDecay: 0,
  loss: 'huber',
  sparseUpdates: true,
  engine: 'strata',
  blocks: [2, 3],
  patience: 2,
  seed: 7,
  device: 'cpu',
  out: 'folder',
  test: 'test.csv',
  valid: 0.2,
  split: 'time',
  workers: 2,
  memory: 1e9,
  titles: 'titles.csv',
  seen: true,
  quantize: 'int8',
  report: 'report.html',
  userColumn: 'user',
  itemColumn: '2',
  ratingColumn: 'rating',
  timeColumn: 'timestamp',
  countColumn: '',
  eventColumn: 'type',
  eventWeights: { view: 1, buy: 10 },
  leaveOut: ['buy'],
  delimiter: ',',
  header: true,
  encoding: 'utf-8',
};

const flagOf = (name: string) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Of `train`, with these flags; that `model` is `dot-bias` without them is tested elsewhere. */
const printed = async (...more: string[]): Promise<Record<string, unknown>> =>
  JSON.parse(await text('train', 'ratings.csv', '--no-config', '--print-config', ...more));

/** A value as the text of a flag: `view=1,buy=10` for an object. */
const textOf = (value: unknown): string =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.entries(value)
        .map((entry) => entry.join('='))
        .join()
    : String(value);

function someValue({ kind }: Choice): unknown {
  if (kind.names) return kind.names[0];
  const texts =
    kind.placeholder === undefined ? ['true'] : ['2', '0.2', '2,3', '0.1,0.2', '1GB', 'view=1', 'text'];
  return texts.map(kind.parse).find((value) => v.is(kind.schema, value));
}

test.each(modelNames)('every choice is a flag of train, and a key of its file: %s', async (model) => {
  const own: Choices = models[model].choices;
  const { test, ...together } = mapValues<Choice, unknown>(
    { ...choicesFor(model), ...runChoices },
    (choice, name) =>
      name === 'model'
        ? model
        : name === 'objective' && isSolved(model)
          ? 'ranking'
          : ((model === 'mlp' || !own[name] ? every[name as keyof CofactorConfig] : undefined) ??
            someValue(choice)),
  );
  for (const config of [together, { test }]) {
    const given = Object.entries(config).flatMap(([name, value]) =>
      value === true ? [flagOf(name)] : [flagOf(name), textOf(value)],
    );
    expect(await printed(...given)).toMatchObject(config);
    await write('every.json', JSON.stringify(config));
    const byFile = await withFile('every.json', '--config', 'every.json', '--print-config');
    expect(JSON.parse(byFile)).toMatchObject(config);
  }
});

test('help shows the defaults that --print-config prints, or says what they depend on', async () => {
  const help = (await text('train', '--help')).replace(/\s+/g, ' ');
  const all = await Promise.all(modelNames.map((model) => printed('--model', model)));
  for (const [name, choice] of Object.entries(allChoices)) {
    const { placeholder } = choice.kind;
    const shown = `${flagOf(name)}${placeholder === undefined ? '' : ` <${placeholder}>`} ${choice.help}`;
    const start = help.indexOf(shown);
    expect(start, shown).toBeGreaterThan(0);
    const rest = help.slice(start + shown.length).replace(/^ \(choices: [^)]*\)/, '');
    const standard = /^ \(default: ([^)]*)\)/.exec(rest)?.[1];
    const values = all.map((model) => model[name]).filter((value) => value !== undefined);
    // The model itself was chosen.
    for (const value of name === 'model' ? values.slice(0, 1) : values) {
      const parts = [value].flat();
      const words = parts.length > 1 && new Set(parts).size === 1 ? `${parts[0]} each` : String(value);
      expect(`${name}: ${standard}`).toContain(words);
    }
    if (values.length === 0 && standard !== undefined) expect(standard).toMatch(/[a-z]{2}/i);
  }
});

test('an optimizer and a schedule may have choices of their own in a file', async () => {
  const named = {
    optimizer: { name: 'adamw', beta2: 0.9 },
    schedule: { name: 'constant', learningRate: 0.02 },
  };
  await write('named.json', JSON.stringify({ ...named, factors: 2, epochs: 1 }));
  await withFile('named.json', '--config', 'named.json', '--out', 'named');
  expect((await manifest('named')).training).toMatchObject(named);
  await write('named.json', '{ "optimizer": { "name": "adamw", "beta3": 1 } }');
  const { stderr } = await here('train', 'ratings.csv', '--config', 'named.json', '--out', 'no');
  expect(stderr).toMatch(/^cofactor: named.json: optimizer is .*; adamw has no choice "beta3", only beta2, /);
});

test('a missing file, and two files, print one line', async () => {
  expect(await failure('train', 'ratings.csv', '--config', 'none.json')).toMatch(/none.json: no such file/);
  await write('cofactor.config.json', '{}');
  await write('cofactor.config.ts', 'export default {}');
  expect(await failure('train', 'ratings.csv')).toMatch(
    /there are cofactor.config.ts and cofactor.config.json; keep one, or name one with --config/,
  );
});

const OWNER = process.geteuid?.();
const RAN = 'Choices from cofactor.config.ts\n';
const REFUSED =
  'cofactor: cofactor.config.ts: is code, and it or its folder belongs to another user; read it, then give --config cofactor.config.ts to run it, or --no-config; a cofactor.config.json is read in any folder\n';

afterEach(() => vi.unstubAllEnvs());

/** Runs with a `cofactor.config.ts` in the folder. */
async function withCode(...more: string[]) {
  await write('cofactor.config.ts', 'export default { epochs: 2 }');
  await rm(at('cofactor.config.json'), { force: true });
  return (...flags: string[]) => here('train', 'ratings.csv', '--print-config', ...more, ...flags);
}

test.skipIf(OWNER === undefined)(
  'code of another user is not run, unless it is named; JSON is read',
  async () => {
    const run = await withCode();
    const stranger = vi
      .spyOn(process as Required<typeof process>, 'geteuid')
      .mockReturnValue(Number(OWNER) + 1);
    try {
      expect(await run()).toEqual({ code: 1, stdout: '', stderr: REFUSED });
      expect(await run('--config', 'cofactor.config.ts')).toMatchObject({ code: 0, stderr: RAN });
      expect(await run('--no-config')).toMatchObject({ code: 0, stderr: '' });
      await rename(at('cofactor.config.ts'), at('cofactor.config.js'));
      expect(await run()).toMatchObject({ code: 1, stderr: REFUSED.replaceAll('.ts', '.js') });
      await rm(at('cofactor.config.js'));
      await write('cofactor.config.json', '{ "epochs": 2 }');
      const { code, stdout } = await run();
      expect({ code, epochs: JSON.parse(stdout).epochs }).toEqual({ code: 0, epochs: 2 });
    } finally {
      stranger.mockRestore();
      await rm(at('cofactor.config.json'), { force: true });
    }
  },
);

test.skipIf(OWNER !== 0)(
  'the owner of the file, of what it links to and of its folder count; sudo keeps whose they are',
  async () => {
    const run = await withCode();
    const file = at('cofactor.config.ts');
    expect(await run()).toMatchObject({ code: 0, stderr: RAN });
    await chown(file, 1234, 0);
    expect(await run()).toMatchObject({ code: 1, stderr: REFUSED });
    vi.stubEnv('SUDO_UID', '1234');
    expect(await run()).toMatchObject({ code: 0, stderr: RAN });
    vi.stubEnv('SUDO_UID', '1235');
    expect(await run()).toMatchObject({ code: 1 });
    await chown(file, 0, 0);
    expect(await run()).toMatchObject({ code: 0 });
    await chown(at('.'), 1234, 0);
    expect(await run()).toMatchObject({ code: 1, stderr: REFUSED });
    await chown(at('.'), 0, 0);
    await rename(file, at('mine.ts'));
    await symlink('mine.ts', file);
    expect(await run()).toMatchObject({ code: 0 });
    await lchown(file, 1234, 0);
    expect(await run()).toMatchObject({ code: 1, stderr: REFUSED });
    await rm(file);
  },
);

test.each([
  ['out', '../elsewhere'],
  ['out', '..'],
  ['report', 'linked/report.html'],
  ['report', '/report.html'],
])('JSON that was not named writes nowhere but in its folder: %s %s', async (name, path) => {
  await rm(at('linked'), { force: true });
  await symlink('..', at('linked'));
  await write('cofactor.config.json', JSON.stringify({ [name]: path }));
  try {
    expect(await failure('train', 'ratings.csv', '--print-config')).toBe(
      `cofactor: cofactor.config.json: ${name} is "${path}", outside of this folder; give --${name}, or name the file with --config`,
    );
    await withFile('cofactor.config.json', '--print-config', '--config', 'cofactor.config.json');
    await write('cofactor.config.json', JSON.stringify({ [name]: '..models/new.html' }));
    await withFile('cofactor.config.json', '--print-config');
  } finally {
    await rm(at('cofactor.config.json'));
  }
});
