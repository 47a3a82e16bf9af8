import { DatabaseSync } from 'node:sqlite';
import fastify from 'fastify';

/** The least a server can do for the same answer: a route that reads one row and sends it. */
const [file = ''] = process.argv.slice(2);
const database = new DatabaseSync(file, { readOnly: true });
const read = database.prepare('select * from task where id = ?');
const app = fastify();
app.get('/tasks/:id', async (request) => read.get((request.params as { id: string }).id));
console.log(`listening on ${await app.listen({ port: 0, host: '127.0.0.1' })}`);
