import { expectTypeOf, test } from 'vitest';
import {
  type Evaluation,
  type ExportOptions,
  evaluate,
  type Fitted,
  type FoldedIn,
  type ItemRating,
  isKnown,
  load,
  type Metrics,
  type Ratings,
  type Recipe,
  type Recommended,
  type Recommender,
  type Rows,
  readExclusions,
  readRatings,
  type Similar,
  type TrainedModel,
  type TrainOptions,
  train,
  UserError,
  type ValidMetrics,
} from '../../src/index.ts';
import { serve } from '../../src/serve/serve.ts';
import { load as loadInPage } from '../../src/web.ts';

/** The types of what a program calls. The type check of the project runs this file; nothing in it is executed. */
declare const recommender: Recommender;
declare const ratings: ItemRating[];

test('one question has one answer, and many questions have many', () => {
  expectTypeOf(recommender.predict('414', '296')).resolves.toEqualTypeOf<number>();
  expectTypeOf(recommender.predict(['414'], ['296'])).resolves.toEqualTypeOf<Float32Array>();
  expectTypeOf(recommender.recommend('414')).resolves.toEqualTypeOf<Recommended[]>();
  expectTypeOf(recommender.recommend(['414'], { k: 5 })).resolves.toEqualTypeOf<Recommended[][]>();
  expectTypeOf(recommender.similar('296')).resolves.toEqualTypeOf<Similar[]>();
  expectTypeOf(recommender.similar(['296'], { k: 5 })).resolves.toEqualTypeOf<Similar[][]>();
  expectTypeOf(recommender.factors('296')).resolves.toEqualTypeOf<Record<string, Float32Array>>();
  expectTypeOf(recommender.factors(['296'])).resolves.toEqualTypeOf<Record<string, Rows>>();
  expectTypeOf(recommender.score('414', '296')).resolves.toEqualTypeOf<number>();
  expectTypeOf(recommender.score(['414'], ['296'])).resolves.toEqualTypeOf<Float32Array>();
  expectTypeOf(isKnown(recommender, '414')).toEqualTypeOf<boolean>();
  expectTypeOf(isKnown(recommender, ['414'])).toEqualTypeOf<boolean[]>();
  expectTypeOf(recommender.foldIn([ratings])).resolves.toEqualTypeOf<FoldedIn[]>();
  expectTypeOf(recommender.foldIn(ratings)).resolves.toEqualTypeOf<FoldedIn>();
  expectTypeOf(recommender.foldIn(['296', '1'])).resolves.toEqualTypeOf<FoldedIn>();
  expectTypeOf(recommender.foldIn([['296'], ['1']])).resolves.toEqualTypeOf<FoldedIn[]>();
  expectTypeOf(recommender.kind).toEqualTypeOf<'ratings' | 'interactions'>();
  // @ts-expect-error a user and many items
  recommender.predict('414', ['296']);
  // @ts-expect-error an id that is a number
  recommender.recommend(414);
});

test('items to exclude have the same shape everywhere', () => {
  recommender.recommend('414', { exclude: ['296'] });
  recommender.recommend(['414', '4'], { exclude: ['296'] });
  recommender.similar('296', { exclude: ['1'] });
  recommender.foldIn([{ item: '296', rating: 5 }], { exclude: ['1'] });
  // @ts-expect-error a list for each user
  recommender.recommend(['414', '4'], { exclude: [['296'], []] });
  expectTypeOf(readExclusions).returns.resolves.toExtend<Parameters<Recommender['recommend']>[1]>();
});

test('load is alike in Node and in a page', () => {
  const options = { heads: ['predict'], device: 'cpu', onProgress: () => {} } as const;
  expectTypeOf(load('movies', options)).resolves.toEqualTypeOf<Recommender>();
  expectTypeOf(loadInPage('/movies/', options)).resolves.toEqualTypeOf<Recommender>();
  expectTypeOf(load).parameter(0).toEqualTypeOf<string | URL>();
  expectTypeOf(loadInPage).parameter(0).toEqualTypeOf<string | URL>();
});

test('a recipe is checked, and training gives a model and its errors', async () => {
  const { ratings, valid } = await readRatings('ratings.csv', { valid: 0.2 });
  const fitted = await train(ratings, { model: 'mlp', hidden: [64], batchSize: 64 }, { valid });
  expectTypeOf(fitted).toEqualTypeOf<Fitted>();
  expectTypeOf(fitted.metrics.valid).toEqualTypeOf<ValidMetrics | undefined>();
  expectTypeOf(fitted.ranking).toEqualTypeOf<TrainedModel | undefined>();
  expectTypeOf(fitted.errors(ratings)).resolves.toEqualTypeOf<Metrics>();
  expectTypeOf(evaluate(recommender, ratings)).resolves.toEqualTypeOf<Evaluation>();
  // @ts-expect-error a model that there is not
  const recipe: Recipe = { model: 'svd' };
  return recipe;
});

test('options are checked, and one that is undefined is not given', () => {
  expectTypeOf<{ valid: undefined; signal: undefined }>().toExtend<TrainOptions>();
  expectTypeOf<{ titles: Map<string, string>; seen: undefined }>().toExtend<ExportOptions>();
  expectTypeOf(serve).parameter(0).toEqualTypeOf<string | readonly string[]>();
  // @ts-expect-error a choice of the recipe
  expectTypeOf(train).toBeCallableWith({} as Ratings, {}, { epochs: 3 });
  // @ts-expect-error titles in an object
  expectTypeOf<{ titles: { i1: string } }>().toExtend<ExportOptions>();
});

test('an error has a code of a few', () => {
  expectTypeOf<UserError['code']>().toEqualTypeOf<
    'argument' | 'data' | 'model' | 'file' | 'device' | 'training' | 'network'
  >();
  // @ts-expect-error no such code
  new UserError('other', 'message');
});
