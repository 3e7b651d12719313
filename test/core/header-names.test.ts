import { expect, test } from 'vitest';
import { isOwned, namesSecret } from '../../src/core/header-names.ts';

test.each(['authorization', 'Host', 'Content-Length', 'X-Request-Id'])('%s is set by nobody else', (name) => {
  expect(isOwned(name)).toBe(true);
});

test.each(['x-api-key', 'openai-organization', 'user-agent'])('%s can be configured', (name) => {
  expect(isOwned(name)).toBe(false);
});

test.each([
  ['X-Api-Key', true],
  ['x-goog-signature', true],
  ['Cookie', true],
  ['openai-organization', false],
])('the value of %s is kept out of messages: %j', (name, expected) => {
  expect(namesSecret(name)).toBe(expected);
});
