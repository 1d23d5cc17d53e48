import { beforeAll, expect, test } from 'vitest';
import { workplace } from './cli.ts';

const { write, text, json, failure } = workplace();
const flags = ['--out', 'model', '--factors', '2', '--epochs', '1'];
beforeAll(() => text('train', 'ratings.csv', ...flags));

test('prints one JSON object, in which unknown ids are counted once each', async () => {
  await write('some.csv', 'user,item,rating\nu0,i0,3\nnew,i0,4\nnew,i1,4\nu0,x,1\nu1,y,1\nu2,z,1\n');
  expect(await json('evaluate', 'model', 'some.csv')).toEqual({
    ratings: 6,
    rmse: expect.any(Number),
    mae: expect.any(Number),
    unknownUsers: 1,
    unknownItems: 3,
  });
});

test('gives the errors of what predict predicts', async () => {
  await write('two.csv', 'user,item,rating\nu0,i0,5\nu1,i1,1\n');
  const [one, other] = await json('predict', 'model', 'two.csv');
  const { rmse, mae } = await json('evaluate', 'model', 'two.csv');
  const errors = [one.rating - 5, other.rating - 1];
  expect(rmse).toBeCloseTo(Math.sqrt((errors[0] ** 2 + errors[1] ** 2) / 2), 5);
  expect(mae).toBeCloseTo((Math.abs(errors[0]) + Math.abs(errors[1])) / 2, 5);
});

test('on the training file it agrees with what train said', async () => {
  const { train } = await json('train', 'ratings.csv', ...flags);
  const result = await json('evaluate', 'model', 'ratings.csv');
  expect(result).toMatchObject({ ratings: 360, unknownUsers: 0, unknownItems: 0 });
  expect(result.rmse).toBeCloseTo(train.rmse, 5);
});

test('says the same for people, and takes columns by name', async () => {
  await write('named.csv', 'who,what,how\nu0,i0,3\nnew,i0,4\n');
  const columns = ['--user', 'who', '--item', 'what', '--rating', 'how'];
  expect(await text('evaluate', 'model', 'named.csv', ...columns)).toMatch(
    /^RMSE \d\.\d{4}, MAE \d\.\d{4} on 2 ratings\n1 user and 0 items were unknown to the model and counted as average\n$/,
  );
});

test('without a model or without ratings it is one line', async () => {
  expect(await failure('evaluate', 'nowhere', 'ratings.csv')).toMatch(/nowhere: is not a trained model/);
  expect(await failure('evaluate', 'model', 'nothing.csv')).toMatch(/nothing.csv: no such file/);
  expect(await failure('evaluate', 'model')).toMatch(/file/);
});
