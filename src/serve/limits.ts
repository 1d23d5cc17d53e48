/** Limits of requests, and time limits. */
export const LIMITS = {
  /** Bytes of a body, counted while it is read. */
  body: 2 ** 20,
  /** Levels of a JSON document: enough for a tensor of the highest rank. */
  depth: 16,
  /** Axes of a tensor. */
  rank: 8,
  /** Elements of a tensor, of inputs and outputs. */
  elements: 2 ** 20,
  /** Items in a list. */
  k: 1000,
  /** Ratings, or items, in a request for a fold-in, whose time grows faster than their number: it takes half a second for so many. */
  ratings: 3000,
  connections: 1024,
  /** Characters of an id in a path: Node's limit of all headers. */
  parameter: 16_384,
  /** Milliseconds to send the headers, and the whole request. */
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  /** Milliseconds between checks of connections for these limits. */
  checkInterval: 1000,
  /** Milliseconds between checks of the folders for new artifacts. */
  refreshInterval: 1000,
  /** Milliseconds for requests in flight to end when the server closes. */
  closeTimeout: 25_000,
} as const;
