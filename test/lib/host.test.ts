import { expect, test } from 'vitest';
import { bareHost, isLoopback, urlHost } from '../../src/lib/host.ts';

test.each([
  ['localhost', true],
  ['LocalHost', true],
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['0:0:0:0:0:0:0:1', true],
  ['::ffff:127.0.0.1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['128.0.0.1', false],
  ['127.0.0.1.example.net', false],
  ['studio', false],
  ['', false],
])('%j is this machine alone: %j', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

test.each(['127.0.0.1', 'studio.lan', '::1'])('%s is the same host in a URL and out of it', (host) => {
  expect(bareHost(new URL(`http://${urlHost(host)}:1/`).hostname)).toBe(host);
});
