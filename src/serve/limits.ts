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
  /** Long requests that wait for their turn. */
  waiting: 64,
  /** Items with which a fold-in takes some milliseconds. */
  shortFoldIn: 300,
  /** Characters of a title. */
  title: 10_000,
  /** Texts that one run may return. Writing so many as JSON takes a worker some milliseconds. */
  texts: 2 ** 15,
  /** Bytes of an answer of the Open Inference Protocol. */
  answer: 128e6,
  /** Bytes that an answer may have to be sent in one piece. */
  piece: 2 ** 16,
  /** Events in a request. */
  events: 1000,
  /** Seconds by which the clock of a client may be ahead. */
  feedbackAhead: 86_400,
  /** Bytes of events that wait to be stored. */
  feedbackWaiting: 2 ** 24,
  /** Bytes of a file of events, and of all in the folder. */
  feedbackFile: 2 ** 24,
  feedback: 2 ** 30,
  connections: 1024,
  /** Of these, for health checks alone; and as many beyond those of an address. */
  spareConnections: 64,
  /** Requests that a client sends on one connection before it has answers. */
  pipelined: 32,
  /** Bytes of a body that are counted before they come. */
  announced: 2 ** 16,
  /** Connections of one address for other requests. */
  connectionsPerAddress: 512,
  /** Characters of an id in a path: Node's limit of all headers. */
  parameter: 16_384,
  /** Milliseconds to send the headers, and the whole request. */
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  /** Milliseconds in which a client must read some of its answer. The buffers of a connection hold megabytes, and only show that they are read from time to time. */
  sendTimeout: 90_000,
  /** Bytes that a client must read in a second, on average after these milliseconds. */
  leastRate: 2 ** 14,
  /** Milliseconds between checks of connections for these limits. */
  checkInterval: 1000,
  /** Milliseconds between checks of the folders for new artifacts. */
  refreshInterval: 1000,
  /** Most milliseconds until a refused artifact that has not changed is tried again. The first time it is {@link refreshInterval}, and each time double. */
  mostRetryDelay: 300_000,
  /** Milliseconds of one run after which a worker counts as lost: only a hostile model takes so long. */
  longestRun: 60_000,
  /** Milliseconds until requests in flight are cut off when the server closes. */
  closeTimeout: 30_000,
  /** Milliseconds in which workers may end even then. */
  leastCloseTime: 1000,
  /** Milliseconds between looks whether all are answered. */
  drainInterval: 20,
} as const;
