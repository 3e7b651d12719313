import { expect, test } from 'vitest';
import { editDistance, nearest } from '../../src/lib/nearest.ts';

const known = ['id', 'provider', 'baseUrl', 'apiKey', 'contextWindow', 'maxTokens', 'listen', 'port'];

test.each([
  ['baseURL', 'baseUrl'],
  ['base_url', 'baseUrl'],
  ['provdier', 'provider'],
  ['contxtWindw', 'contextWindow'],
  ['prot', 'port'],
  ['listenPort', 'listen'],
  ['window', 'contextWindow'],
  ['ID', 'id'],
  ['temperature', undefined],
  ['x', undefined],
  ['', undefined],
])('%j was meant to be %j', (name, wanted) => {
  expect(nearest(name, known)).toBe(wanted);
});

test.each([
  ['', 'abc', 3],
  ['abc', 'abc', 0],
  ['abc', 'acb', 1],
  ['kitten', 'sitting', 3],
])('from %j to %j it is %i steps', (from, to, steps) => {
  expect(editDistance(from, to)).toBe(steps);
  expect(editDistance(to, from)).toBe(steps);
});
