/** An answer that is no success: its status, and one line that says why. */
export class HttpError extends Error {
  override name = 'HttpError';

  constructor(
    readonly statusCode: number,
    message: string,
  ) {
    super(message);
  }
}

/** Of a request that cannot be answered as it stands. */
export const badRequest = (message: string): HttpError => new HttpError(400, message);
