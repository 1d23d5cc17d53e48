import { expect, test } from 'vitest';
import { withLimits } from '../support/limits.ts';
import { rawRequest } from '../support/raw-http.ts';
import { served } from '../support/served.ts';

withLimits({ headersTimeout: 300, requestTimeout: 600, checkInterval: 50 });

const movies = served({ workers: 1 });

test.each([
  ['headers that do not end', 'GET /v2 HTTP/1.1\r\nHost: localhost\r\n'],
  [
    'a body that does not end',
    'POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
  ],
])('%s are answered in one line, and the connection is closed', async (_, bytes) => {
  expect(await rawRequest(movies.url, bytes)).toMatchObject({
    status: 408,
    body: { error: expect.stringMatching(/^[^\n]{5,400}$/) },
  });
});
