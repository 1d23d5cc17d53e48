import * as v from 'valibot';

const metrics = v.object({ rmse: v.number(), mae: v.number() });

/** What `manifest.json` says of the files beside it. */
export const manifestSchema = v.object({
  format: v.literal(1),
  cofactor: v.string(),
  model: v.object({ name: v.string(), config: v.record(v.string(), v.unknown()) }),
  data: v.object({
    users: v.number(),
    items: v.number(),
    ratings: v.number(),
    low: v.number(),
    high: v.number(),
    mean: v.number(),
    /** SHA-256 of the ids and ratings that the model was trained on and chosen by. */
    fingerprint: v.string(),
  }),
  training: v.record(v.string(), v.unknown()),
  /** How the numbers of large tables are kept: float32 when absent. */
  precision: v.optional(v.string()),
  history: v.array(v.object({ loss: v.number(), valid: v.optional(metrics) })),
  metrics: v.object({ train: v.object({ rmse: v.number() }), valid: v.optional(metrics) }),
  libraries: v.record(v.string(), v.string()),
  files: v.record(
    // Only plain names: a manifest must not lead a reader out of its folder.
    v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.-]*$/)),
    v.object({
      bytes: v.number(),
      sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
      /** The most rows of a request in one run, which bounds the memory that it takes. */
      batch: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
    }),
  ),
});

export type Manifest = v.InferOutput<typeof manifestSchema>;
