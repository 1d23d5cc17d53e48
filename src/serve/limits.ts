/** The most that a request may ask for, and how long things may take. */
export const LIMITS = {
  /** Bytes of a body, counted while it is read. */
  body: 2 ** 20,
  /** Levels of a JSON document: a tensor of the highest rank, and what stands around it. */
  depth: 16,
  /** Axes of a tensor. */
  rank: 8,
  /** Elements of a tensor, given or asked for. */
  elements: 2 ** 20,
  /** Items in a list of the best. */
  k: 1000,
  /** Ratings of a person who is folded in, which takes time with more than their number: half a second for these. */
  ratings: 3000,
  connections: 1024,
  /** Of a path's part, which holds an id: Node's limit of all headers. */
  parameter: 16_384,
  /** Milliseconds to send the headers, and the whole request. */
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  /** How often connections are looked at for these. */
  checkInterval: 1000,
  /** Milliseconds until the folders are looked at again for new artifacts. */
  refreshInterval: 1000,
  /** Milliseconds that requests in flight have to end when the server closes. */
  closeTimeout: 25_000,
} as const;
