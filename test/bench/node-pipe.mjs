// The ruler: the plainest relay Node can do, two sockets piped into each other, nothing looked at.
// node node-pipe.mjs LISTEN ORIGIN
import { connect, createServer } from 'node:net';

const [listen, origin] = process.argv.slice(2).map(Number);
const host = '127.0.0.1';

createServer({ noDelay: true }, (client) => {
  const server = connect({ port: origin, host, noDelay: true });
  client.on('error', () => server.destroy());
  server.on('error', () => client.destroy());
  client.pipe(server);
  server.pipe(client);
}).listen({ port: listen, host, backlog: 4096 });
