/** The yardstick: one hop of plain `node:http`, request and reply piped through. Two of them are "pipe2". */
import { Agent, createServer, request as httpRequest } from 'node:http';

const target = new URL(process.argv[2] ?? '');
const agent = new Agent({ keepAlive: true, maxSockets: 4_096, noDelay: true });

const server = createServer((request, response) => {
  const onward = httpRequest(
    {
      host: target.hostname,
      port: target.port,
      path: request.url ?? '/',
      method: request.method ?? 'GET',
      headers: request.headers,
      agent,
    },
    (reply) => {
      response.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(response);
    },
  );
  onward.on('error', () => response.destroy());
  request.pipe(onward);
  response.on('close', () => onward.destroy());
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`);
});
