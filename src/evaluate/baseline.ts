/** A simple predictor that a model is held against. Rows are those of the ratings that it was made from. */
export interface Baseline {
  /** Predicted ratings by row numbers of training; the number of ids stands for unknown. */
  predict(users: Int32Array, items: Int32Array): Float32Array;
  /** Scores of all items for one user, for ranking; the higher the better. */
  scores(user: number): Float32Array;
}
