import { describe, expect, test } from 'vitest';
import { dotBias } from '../../graphs/models/dot-bias.ts';
import type { Artifact } from '../../src/artifact/manifest.ts';
import { Ratings, type RatingsParts, selectRows } from '../../src/data/dataset/ratings.ts';
import { randomSplit } from '../../src/data/dataset/split.ts';
import { UserError } from '../../src/errors.ts';
import { nodeRuntime } from '../../src/run/node.ts';
import type { ExportOptions } from '../../src/train/artifact.ts';
import {
  type TrainingExportOptions,
  trainingFiles,
  writeTrainingFiles,
} from '../../src/train/engines/ort-training/export.ts';
import { findLearningRate, type RangeTestOptions } from '../../src/train/find-learning-rate.ts';
import type { Recipe } from '../../src/train/recipe/recipe.ts';
import { type TrainOptions, train } from '../../src/train/train.ts';
import { argumentError, userError } from '../support/files.ts';
import { lowRank } from '../support/low-rank.ts';

const ratings = lowRank();
const { train: part, valid } = randomSplit(ratings, 0.2, 3);
const small: Recipe = { objective: 'rating', factors: 3 };
const none = selectRows(ratings, new Int32Array());

/** A copy of the users' rows with one of them changed. */
function usersWith(index: number, row: number): Int32Array {
  const users = ratings.users.slice();
  users[index] = row;
  return users;
}

describe('ratings that cannot be are refused when they are made', () => {
  const items = ratings.items.slice();
  items[0] = -1;
  const numbers = ratings.ratings.slice();
  numbers[2] = Number.NaN;

  test.each<[string, ConstructorParameters<typeof Ratings>[0], RegExp]>([
    [
      'an unknown user',
      { ...ratings, users: usersWith(4, 40) },
      /^the ratings: rating 5 has user row 40, but there are 40 user ids$/,
    ],
    ['a negative row', { ...ratings, items }, /^the ratings: rating 1 has item row -1/],
    ['a rating that is no number', { ...ratings, ratings: numbers }, /rating 3 is NaN/],
    [
      'fewer items than ratings',
      { ...ratings, items: ratings.items.subarray(1) },
      /ratings, but \d+ item rows/,
    ],
  ])('%s', (_, parts, message) => {
    expect(() => new Ratings(parts)).toThrow(UserError);
    expect(() => new Ratings(parts)).toThrow(message);
  });

  test.each([
    ['no parts', undefined],
    ['empty parts', {}],
    ['lists for arrays', { ...ratings, ratings: [3, 4] }],
    ['arrays of another type', { ...ratings, users: new Float32Array(ratings.users) }],
    ['no ids', { ...ratings, userIds: 'u1,u2' }],
  ])('%s', (_, parts) => {
    const make = () => new Ratings(parts as unknown as RatingsParts);
    expect(make).toThrow(UserError);
    expect(make).toThrow(
      /^ratings need userIds and itemIds, which are lists, users and items, each an Int32Array, /,
    );
  });
});

describe('what cannot train a model is refused', () => {
  const only = (parts: Partial<Ratings>) => new Ratings({ ...ratings, ...parts });

  test.each<[string, Ratings, RegExp]>([
    ['no ratings', none, /^the ratings: there are none$/],
    ['no ids', new Ratings({ ...none, userIds: [], itemIds: [] }), /there are none/],
    [
      'one user',
      only({ userIds: ['anna'], users: new Int32Array(ratings.users.length) }),
      /^the ratings: all ratings are by one user, "anna"; training needs at least 2 users$/,
    ],
    [
      'one item',
      only({ itemIds: ['Heat'], items: new Int32Array(ratings.items.length), name: 'mine.csv' }),
      /^mine\.csv: all ratings are of one item, "Heat"; training needs at least 2 items$/,
    ],
    ['one rating throughout', only({ ratings: ratings.ratings.slice().fill(3) }), /all ratings are 3/],
    [
      'a user without an id',
      only({ users: usersWith(4, 40), unknown: { users: 1, items: 0 } }),
      /^the ratings: some users or items have no id; read the ratings without a vocabulary$/,
    ],
  ])('%s', async (_, bad, message) => {
    expect(await userError(train(bad, small))).toMatch(message);
    await expect(train(bad, small)).rejects.toMatchObject({ code: 'data' });
  });

  test('ratings by other ids are a wrong argument', async () => {
    await expect(train(part, small, { valid: lowRank({ users: 41 }) })).rejects.toMatchObject({
      code: 'argument',
    });
  });

  test.each<[string, Recipe, TrainOptions, RegExp]>([
    ['an empty validation set', {}, { valid: none }, /validation ratings: there are none/],
    ['a validation set by other ids', {}, { valid: lowRank({ users: 41 }) }, /userIds are not/],
    ['no epochs', { epochs: 0 }, {}, /^epochs is 0; give a whole number from 1$/],
    ['a batch of nothing', { batchSize: 0 }, {}, /^batchSize is 0/],
    ['half a batch', { batchSize: 0.5 }, {}, /^batchSize is 0.5/],
    ['no patience', { patience: 0 }, { valid }, /^patience is 0/],
    ['patience with nothing to wait for', { patience: 3 }, {}, /^patience needs validation ratings;/],
    ['a learning rate that is not a number', { learningRate: Number.NaN }, {}, /^learningRate is NaN; give/],
    ['half a thread', {}, { workers: 0.5 }, /^workers is 0.5; give a whole number from 1$/],
  ])('%s', async (_, recipe, options, message) => {
    expect(await userError(train(part, { ...small, ...recipe }, options))).toMatch(message);
  });

  test('arguments that are not ratings or not a recipe', async () => {
    const rows = { ...ratings } as unknown as Ratings;
    expect(await userError(train(rows, small))).toMatch(
      /^this is not a dataset to train on; give the ratings of/,
    );
    for (const recipe of ['mlp', null, [], 5] as unknown[] as Recipe[])
      expect(await userError(train(part, recipe))).toMatch(
        /^the recipe is ("mlp"|null|\[\]|5); give an object, such as \{ model: 'mlp' \}/,
      );
  });

  test.each<[string, unknown, string]>([
    [
      'an option that there is not',
      { epochs: 3 },
      'there is no option "epochs"; the options are valid, signal, ',
    ],
    ['a former name', { ratingsARun: 9 }, 'there is no option "ratingsARun"; it is called ratingsPerRun now'],
    ['options that are a number', 5, 'the options are 5; give an object with any of valid, '],
    ['no options', null, 'the options are null; give an object'],
    ['a fraction for validation ratings', { valid: 0.2 }, 'valid is 0.2; give Ratings, such as'],
    ['a runtime by name', { runtime: 'cpu' }, 'runtime is "cpu"; give what nodeRuntime returns'],
    [
      'a path for a checkpoint',
      { checkpoint: 'file' },
      'checkpoint is "file"; give an object with any of path,',
    ],
    [
      'a checkpoint without a path',
      { checkpoint: {} },
      'the path of the checkpoint is undefined; give a path',
    ],
    ['no function', { onProgress: true }, 'onProgress is true; give a function'],
    ['no signal', { signal: 5n }, 'signal is 5n; give the signal of an AbortController'],
    ['a device that there is not', { device: 5 }, 'there is no device "5"; give one of auto, cpu, '],
    ['no threads', { workers: 0 }, 'workers is 0; give a whole number from 1'],
  ])('%s', async (_, options, message) => {
    expect(await argumentError(train(part, small, options as TrainOptions))).toContain(message);
  });

  test.each<[string, unknown, RegExp]>([
    [
      'titles that are an object',
      { titles: { i1: 'Heat' } },
      /^titles is \{"i1":"Heat"\}; give a Map from item id to title/,
    ],
    [
      'titles that are numbers',
      { titles: new Map([['i1', 5]]) },
      /^titles is of type Map; give a Map from item id to title/,
    ],
    ['genres that are a number', { genres: 5 }, /^genres is 5; give a Map from item id to a list of genres/],
    ['genres in one text', { genres: new Map([['i1', 'Drama']]) }, /^genres is of type Map; give a Map from/],
    ['a word for a flag', { seen: 'no' }, /^seen is "no"; give true or false$/],
    ['a precision that there is not', { precision: 'int4' }, /^precision is "int4"; give one of float32, /],
    [
      'an option that there is not',
      { title: new Map() },
      /^there is no option "title"; the options are precision, /,
    ],
  ])('saving with %s', async (_, options, message) => {
    const model = await train(part, { ...small, epochs: 1 });
    const given = options as ExportOptions;
    for (const saving of [model.artifact(given), model.recommender(given), model.save('none', given)])
      expect(await argumentError(saving)).toMatch(message);
    expect(await argumentError(model.save('' as string))).toBe('the folder is ""; give a path');
  });

  test('a learning rate to find without a runtime, or with an unknown option', async () => {
    const finding = (options?: unknown) => findLearningRate(part, small, options as RangeTestOptions);
    expect(await argumentError(finding())).toBe('runtime is undefined; give what nodeRuntime returns');
    expect(await argumentError(finding({ start: 5 }))).toMatch(
      /^there is no option "start"; the options are from, /,
    );
  });

  test('an artifact, and options, that are none, for the training files', async () => {
    const artifact = await (await train(part, { ...small, epochs: 1 })).artifact();
    expect(() => trainingFiles(5 as unknown as Artifact)).toThrow(/^the model is 5; give an Artifact/);
    const options = { rate: 1 } as TrainingExportOptions;
    expect(() => trainingFiles(artifact, options)).toThrow(/^there is no option "rate"; the options are/);
    expect(await argumentError(writeTrainingFiles('none', artifact, options))).toMatch(/^there is no option/);
  });

  test('values that JSON cannot say', async () => {
    const circle: { self?: object } = {};
    circle.self = circle;
    const asked = train(part, { factors: circle } as unknown as Recipe);
    expect(await argumentError(asked)).toMatch(/^factors is an object; give /);
    expect(() => dotBias(5 as unknown as object)).toThrow(/^dot-bias: the choices are 5; give an object$/);
  });

  test('a runtime beside a device', async () => {
    const options: TrainOptions = { runtime: await nodeRuntime(), device: 'cpu' };
    expect(await userError(train(ratings, small, options))).toMatch(
      /^runtime and device cannot be given together/,
    );
  });

  test('and so are ratings by other ids in errors', async () => {
    const model = await train(ratings, { ...small, epochs: 1 });
    const reversed = only({ itemIds: ratings.itemIds.toReversed() });
    expect(await userError(model.errors(reversed))).toContain('itemIds are not those of training');
    const unknownUser = only({ users: usersWith(4, 40), unknown: { users: 1, items: 0 } });
    expect((await model.errors(unknownUser)).rmse).toBeGreaterThan(0);
    expect(() => only({ users: usersWith(0, 41), unknown: { users: 1, items: 0 } })).toThrow(/user row 41/);
  });
});
