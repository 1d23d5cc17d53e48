/** A simple predictor to compare models with. Row numbers are those of its training ratings. */
export interface Baseline {
  /** Predicts ratings by row number; the number of ids stands for an unknown user or item. */
  predict(users: Int32Array, items: Int32Array): Float32Array;
  /** Scores of all items for a user, by row; a higher score is better. */
  scores(user: number): Float32Array;
}
