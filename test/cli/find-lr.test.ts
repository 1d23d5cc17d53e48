import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { workplace } from '../support/cli.ts';

const { write, at, text, json, failure, here, cofactor, contents, names } = workplace();
const some = expect.any(Number);
const rated = ['--objective', 'rating'];

test('says what it suggests, and writes nothing', async () => {
  const before = await contents();
  const lines = (await text('find-lr', 'ratings.csv', ...rated)).trimEnd().split('\n');
  expect(lines[0]).toMatch(/^Read 360 ratings of 20 items by 30 users from ratings.csv/);
  expect(lines[1]).toMatch(/^Tried \d+ learning rates from 0.00006 to [\d.]+ on 360 ratings in [\d.]+ s/);
  expect(lines[2]).toMatch(/^ {2}loss [▁▂▃▄▅▆▇█]{60}$/);
  expect(lines[3]).toMatch(
    /^Suggested: --learning-rate [\d.]+, a tenth of .*; the middle of the fall is at [\d.]+$/,
  );
  expect(lines[4]).toMatch(/^ {2}This is a starting point, .* The default is 0\.06; /);
  expect(lines).toHaveLength(5);
  expect(await contents()).toEqual(before);
});

test('prints one JSON object, the same for one seed', async () => {
  const flags = ['find-lr', 'ratings.csv', '--model', 'mlp', '--steps', '120', ...rated];
  const found = await json(...flags);
  expect(found).toEqual({
    model: 'mlp',
    objective: 'rating',
    suggestion: some,
    valley: some,
    rates: expect.any(Array),
    losses: expect.any(Array),
    smoothed: expect.any(Array),
    diverged: expect.any(Boolean),
    usual: some,
    ratings: 360,
    seconds: some,
  });
  expect(found.losses).toHaveLength(found.rates.length);
  const again = await json(...flags);
  expect({ ...again, seconds: found.seconds }).toEqual(found);
  const other = await json(...flags, '--seed', '2');
  expect(other.losses).not.toEqual(found.losses);
});

test('of both objectives it tests each, and suggests the option of each', async () => {
  const flags = ['ratings.csv', '--factors', '4', '--positive', '3'];
  const { ranking, ...rating } = await json('find-lr', ...flags);
  const alone = (objective: string) =>
    json('find-lr', 'ratings.csv', '--factors', '4', '--objective', objective);
  expect({ ...rating, seconds: 0 }).toEqual({ ...(await alone('rating')), seconds: 0 });
  const { model, seconds, ...found } = await json('find-lr', ...flags, '--objective', 'ranking');
  expect({ model, seconds }).toEqual({ model: 'dot-bias', seconds: some });
  expect(found).toEqual(ranking);
  expect(ranking).toMatchObject({ objective: 'ranking', suggestion: some, usual: 0.05 });
  expect(ranking.ratings).toBeLessThan(360);
  const printed = await text('find-lr', ...flags, '--out', 'both.svg');
  expect(printed).toMatch(/^Tried \d+ learning rates from .* on 360 ratings in [\d.]+ s for both tests/m);
  expect(printed).toMatch(/^Suggested: --learning-rate [\d.]+, /m);
  expect(printed).toMatch(/^Tried \d+ learning rates of ranking from .* on \d+ positives/m);
  expect(printed).toMatch(/^Suggested: --ranking-learning-rate [\d.]+, /m);
  expect(printed).not.toMatch(/NaN|undefined/);
  const svg = await readFile(at('both.svg'), 'utf8');
  expect(svg.match(/<svg /g)).toHaveLength(3);
  for (const name of ['learning rate of predicting ratings', 'learning rate of ranking'])
    expect(svg).toContain(`>${name}<`);
});

test('draws a plot that asks for nothing else, as a picture and as a page', async () => {
  // The library that draws numbers what it draws in a process.
  const drawn = await cofactor('find-lr', 'ratings.csv', ...rated, '--out', 'lr.svg');
  expect(drawn.stdout).toContain('\nWrote lr.svg\n');
  await cofactor('find-lr', 'ratings.csv', ...rated, '--out', 'plots/lr.html');
  const svg = await readFile(at('lr.svg'), 'utf8');
  const page = await readFile(at('plots', 'lr.html'), 'utf8');
  expect(svg).toMatch(/^<svg /);
  for (const text of [svg, page]) {
    expect(text).toMatch(/suggested: [\d.]+</);
    expect(text).toContain('>default: 0.06<');
    expect(text).toContain('>each step<');
  }
  expect(svg).toContain('prefers-color-scheme: dark');
  for (const name of svg.match(/var\((--\w+)\)/g) ?? []) expect(svg).toContain(`${name.slice(4, -1)}: #`);
  expect(page.replaceAll('http://www.w3.org/', '')).not.toMatch(/https?:|\bsrc=|<script|NaN/);
});

test('takes the recipe from a configuration file, and no more', async () => {
  await write('lr.json', '{ "model": "mlp", "factors": 4, "out": "model", "epochs": 9, "batchSize": 32 }');
  const flags = ['--config', 'lr.json', '--json', ...rated];
  const { code, stdout, stderr } = await here('find-lr', 'ratings.csv', ...flags);
  expect({ code, stderr }).toEqual({ code: 0, stderr: 'Choices from lr.json\n' });
  const { model, out, rates } = JSON.parse(stdout);
  expect({ model, out }).toEqual({ model: 'mlp', out: undefined });
  expect(rates.length).toBeLessThanOrEqual(100);
  expect(await names()).not.toContain('model');
});

test.each([
  [['--out', 'lr.png'], /'lr.png' is invalid. Give a name that ends in .html or .svg/],
  [['--steps', '3'], /--steps .*Give a whole number from 20 to 10,000\.$/],
  [['--from', '1', '--to', '0.1'], /would rise from 1 to 0.1; give a higher end, or a lower start/],
  [
    ['--from', '1e5', '--to', '1e6', '--optimizer', 'adamw', ...rated],
    /no learning rate from 100000 to 1000000 lowers the loss/,
  ],
  [['--hidden', '4'], /hidden.*mlp/],
  [['--learning-rate', '1'], /unknown option '--learning-rate'/],
  [['--ranking-learning-rate', '1'], /unknown option '--ranking-learning-rate'/],
])('%j is refused in one line', async (flags, message) => {
  const before = await contents();
  expect(await failure('find-lr', 'ratings.csv', '--json', ...flags)).toMatch(message);
  expect(await contents()).toEqual(before);
});
