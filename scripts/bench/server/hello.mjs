// The least that a server of the same framework can do: what `bench.ts` compares with.
import Fastify from 'fastify';

const app = Fastify();
app.get('/', async () => ({ hello: 'world' }));
console.log(`Listening at ${await app.listen({ port: 0, host: '127.0.0.1' })}: hello`);
