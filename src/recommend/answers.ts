/** What a `Recommender` is asked, and what it answers. */

/** An item, and the rating that a person gave it. */
export interface ItemRating {
  readonly item: string;
  readonly rating: number;
}

/** What a person has: rated items, or, for a model of interactions, ids of items. */
export type Own = readonly ItemRating[] | readonly string[];

/** A recommended item. */
export interface Recommended {
  readonly item: string;
  /** What the list is ordered by: the higher, the better. It compares items of one user, and has no unit. */
  readonly score: number;
  /** The predicted rating, if the model predicts ratings. */
  readonly rating?: number;
}

export interface Similar {
  readonly item: string;
  /**
   * Cosine of the angle between the factors of both items, −1 to 1; of item-item, the weight: what having the one adds to the
   * score of the other, above 0.
   */
  readonly similarity: number;
}

/** How many items a list has, and which it leaves out. */
export interface ListOptions {
  /** Items in each list. A list is shorter where fewer items are left. @default 10 */
  readonly k?: number;
  /** Ids of items that no list has. @default [] */
  readonly exclude?: readonly string[];
}

export interface RecommendOptions extends ListOptions {
  /** Ids of items that the list of one user does not have, by user id; see `readExclusions`. */
  readonly excludeByUser?: ReadonlyMap<string, readonly string[]>;
  /**
   * Whether a list may have items that its user had in training. They are known where the model was saved with
   * `seen`.
   *
   * @default false
   */
  readonly includeSeen?: boolean;
}

/** Rows of one item parameter: numbers of shape `dims`, whose first dimension is the items. */
export interface Rows {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** The result of folding in a person that the model has never seen. */
export interface FoldedIn {
  /** The person's row of each user parameter, by the parameter's name. */
  readonly parameters: Readonly<Record<string, Float32Array>>;
  /** Items with the highest scores, without those that the person has. */
  readonly recommended: readonly Recommended[];
}
