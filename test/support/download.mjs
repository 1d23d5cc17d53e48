// Downloads `archive.zip` as a data set, from a server of its own, and ends as the command line does.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { download } from '../../dist/index.js';

const archive = await readFile('archive.zip');
const server = createServer(({ url }, response) =>
  response.end(url.endsWith('.md5') ? createHash('md5').update(archive).digest('hex') : archive),
);
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
await download('ml-latest-small', 'data', { baseUrl: `http://127.0.0.1:${server.address().port}` }).catch(
  (error) => {
    process.stderr.write(error.name === 'UserError' ? `cofactor: ${error.message}\n` : error.stack);
    process.exitCode = 1;
  },
);
server.close();
server.closeAllConnections();
