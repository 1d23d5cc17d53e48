import * as v from 'valibot';

/** How what a model is judged on was chosen: held out by a split, or in a file of its own. */
export const HELD_OUT_BY = ['random', 'time', 'leave-last-out', 'file'] as const;

const errors = v.object({ rmse: v.number(), mae: v.number() });
const rankings = v.object({ ndcg: v.number(), precision: v.number() });
/** 95 % confidence interval over users. */
const interval = v.tuple([v.number(), v.number()]);
const history = v.optional(
  v.array(
    v.object({
      loss: v.number(),
      valid: v.optional(
        v.object({
          rmse: v.optional(v.number()),
          mae: v.optional(v.number()),
          ndcg: v.optional(v.number()),
          precision: v.optional(v.number()),
        }),
      ),
    }),
  ),
);

/** How good a recipe is: the measures on held-out data of a model that it trained without them, beside those of baselines. */
export const judgementSchema = v.object({
  by: v.picklist(HELD_OUT_BY),
  kind: v.picklist(['ratings', 'interactions']),
  /** Number of held-out ratings or interactions, and of those that were trained on. */
  heldOut: v.number(),
  trained: v.number(),
  /** Number of users and items among those that were trained on. */
  users: v.number(),
  items: v.number(),
  /** Whether the saved model is the judged one. Otherwise, the saved model is trained on what was held out, too. */
  isSaved: v.boolean(),
  /** Absent for a model that predicts no ratings. */
  rating: v.optional(
    v.object({
      model: errors,
      /** Of predicting the mean of all ratings. */
      mean: errors,
      /** Of predicting by damped averages of users and items. */
      dampedMeans: errors,
      /** How much lower the model's RMSE is, as a part of the baseline's; an interval over users. */
      better: v.object({ mean: interval, dampedMeans: interval }),
      /** Number of users with held-out ratings. */
      users: v.number(),
      /** Epochs of the judged training, if the saved model is another. */
      history,
    }),
  ),
  /** Absent for a model that does not rank, and where no list has a relevant item that is held out. */
  ranking: v.optional(
    v.object({
      model: rankings,
      /** Of the same list for everybody. */
      popular: rankings,
      /** Of lists in random order, on average. */
      chance: rankings,
      /** How much higher the model's NDCG at 10 is than that of the better baseline; an interval over users. */
      better: interval,
      /** Number of users with a relevant item that is held out. */
      users: v.number(),
      history,
    }),
  ),
});

export type Judgement = v.InferOutput<typeof judgementSchema>;
