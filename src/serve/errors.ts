/** An error response: its status, and a message of one line. */
export class HttpError extends Error {
  override name = 'HttpError';

  constructor(
    readonly statusCode: number,
    message: string,
  ) {
    super(message);
  }
}

/** An error response for an invalid request. */
export const badRequest = (message: string): HttpError => new HttpError(400, message);

/** The server has too much to do. The client gets 503, and is told to try again. */
export class BusyError extends HttpError {
  override name = 'BusyError';

  constructor(
    message: string,
    /** What there is too little of, for the metrics. */
    readonly lack: 'memory' | 'time' | 'turns' | 'connections' | 'disk',
  ) {
    super(503, message);
  }
}
