/** The server under the edge: what the system refuses it, and what that ends. */
import { expect, test } from 'vitest';
import { limitedServer, listenAt } from '../../src/http/limited-server.ts';

const server = () => limitedServer({ serve: () => {}, upgrade: () => {} });

test('a connection that cannot be accepted ends nothing but itself, however often that happens', async () => {
  const listening = server();
  await listenAt(listening, '127.0.0.1', 0);
  const fault = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' });
  expect(() => {
    listening.emit('error', fault);
    listening.emit('error', fault);
  }).not.toThrow();
  listening.close();
});

test('a port that another program has is named, with the key that sets another', async () => {
  const first = server();
  const port = await listenAt(first, '127.0.0.1', 0);
  const text = `the proxy cannot listen on 127.0.0.1:${port}: another program does; set proxy.port`;
  await expect(listenAt(server(), '127.0.0.1', port)).rejects.toThrow(text);
  first.close();
});
