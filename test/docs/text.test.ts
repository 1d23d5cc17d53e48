import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { isSolved, modelNames } from '../../graphs/models/index.ts';
import { resolve } from '../../src/train/recipe/resolve.ts';
import { type OptimizerName, optimizers } from '../../src/train/step/optimizers/index.ts';
import { allDocuments, documents, root } from '../support/documents.ts';

/** A heading's anchor, as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const withoutCode = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, '');
const anchors = new Map(
  allDocuments.map(({ name, text }) => [
    name,
    Array.from(withoutCode(text).matchAll(/^#+ (.*)$/gm), ([, heading]) => anchorOf(heading)),
  ]),
);

test('no link leads nowhere', () => {
  const broken: string[] = [];
  for (const { name, text } of allDocuments)
    for (const [, linked, image] of withoutCode(text).matchAll(/\]\(([^)\s]+)\)|<img [^>]*src="([^"]+)"/g)) {
      const link = linked ?? image;
      if (/^(https?|mailto):/.test(link)) continue;
      const [path, anchor] = link.split('#');
      const target = path ? normalize(join(dirname(name), path)) : name;
      const isThere = existsSync(join(root, target));
      if (!isThere || (anchor && !anchors.get(target)?.includes(anchor))) broken.push(`${name}: ${link}`);
    }
  expect(broken).toEqual([]);
});

test('the README is short', () => {
  expect(documents[0].text.split(/\s+/).filter(Boolean).length).toBeLessThanOrEqual(1150);
});

test('every page is in the index', () => {
  const index = documents.find(({ name }) => name === 'docs/README.md');
  for (const { name } of documents.slice(1))
    if (name !== index?.name) expect(index?.text).toContain(`](${name.replace('docs/', '')})`);
});

/** Which blocks a test handles, by their first line: `commands.test.ts`, `pages.test.ts`, and the conformance suite for Python. */
const handled = ['sh', 'ts', 'text', 'csv', 'json', 'ts page', 'html page', 'python'];

test('a test handles every block, or the block says why it has no test', () => {
  const untested = allDocuments.flatMap(({ name, blocks }) =>
    blocks
      .filter(({ note }) => !/^no-test: ./.test(note))
      .filter(
        ({ language, note }) =>
          !handled.includes(`${language} ${note}`.trim()) ||
          !documents.some((tested) => tested.name === name),
      )
      .map((block) => `${block.name} ${block.note}`),
  );
  expect(untested).toEqual([]);
});

test('every block is one that the tests can find', () => {
  const lost: string[] = [];
  for (const { name, text, blocks } of allDocuments) {
    let open = false;
    let opened = 0;
    for (const [index, line] of text.split('\n').entries()) {
      const fence = /^[\s>]*(?:(?:[-*+]|\d+[.)])\s+)*(?:`{3,}|~{3,})/.test(line);
      if (fence && !(open ? /^```$/ : /^```[a-z]+( [^`]+)?$/).test(line))
        lost.push(`${name}:${index + 1}: ${line}`);
      if (fence && !open) opened++;
      if (fence) open = !open;
    }
    if (open || opened !== blocks.length) lost.push(`${name}: ${opened} fences, ${blocks.length} blocks`);
    for (const [, code] of withoutCode(text).matchAll(/\n\n( {4,}|\t)(?!\s*([-*+]|\d+\.) )(.*)/g))
      lost.push(`${name}: indented code: ${code}`);
  }
  expect(lost).toEqual([]);
});

test('every link is one that the tests can find', () => {
  const lost: string[] = [];
  for (const { name, text } of allDocuments) {
    const prose = withoutCode(text).replace(/`[^`\n]*`/g, '');
    for (const [found] of prose.matchAll(/^\s*\[[^\]]+\]:.*|\]\s?\[.*|\]\((?![^)\s]+\)).*|<a\s.*/gm))
      lost.push(`${name}: ${found}`);
  }
  expect(lost).toEqual([]);
});

test('the tables are those of the results', async () => {
  const program = join(root, 'node_modules/tsx/dist/cli.mjs');
  const args = [program, join(root, 'scripts/docs-tables.ts'), '--check'];
  const { stderr } = await promisify(execFile)(process.execPath, args).catch((error) => error);
  expect(stderr).toBe('');
});

test('the page about training has the defaults of each optimizer', () => {
  const { text } = documents.find(({ name }) => name === 'docs/training.md') as (typeof documents)[number];
  const facts = { users: 10, items: 10, ratings: 100, low: 1, high: 5, mean: 3 };
  for (const optimizer of Object.keys(optimizers) as OptimizerName[]) {
    const [, ...cells] =
      new RegExp(`^\\| \`${optimizer}\` +\\| (.*) \\| (.*) \\| (.*) \\|$`, 'm').exec(text) ?? [];
    const [rate, ofMlp, decay] = cells.map((cell) => Number.parseFloat(cell));
    const trainings = modelNames
      .filter((model) => !isSolved(model))
      .map((model) => resolve({ model, optimizer, batchSize: 64 }, facts).plan.training);
    expect(trainings.map(({ schedule }) => schedule.learningRate)).toEqual([rate, ofMlp || rate]);
    for (const { optimizer } of trainings) expect(optimizer.weightDecay).toBe(decay);
  }
});
