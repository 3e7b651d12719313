import { expect, test } from 'vitest';
import type { Target } from '../../src/core/call.ts';
import { ClawError } from '../../src/core/errors.ts';
import { pick } from '../../src/routing/pick.ts';
import { routeOf } from '../../src/routing/route.ts';
import { first } from '../support/identities.ts';

function target(nodeName: string, place: Target['place'], more: Partial<Target['card']> = {}): Target {
  return {
    card: { id: 'm', provider: 'p', dialect: 'chat', ...more },
    node: first.id,
    nodeName,
    place,
    answer: () => Promise.reject(new Error('not asked here')),
  };
}

test.each<[string, [string, Target['place'], number][], string | undefined]>([
  ['nothing of nothing', [], undefined],
  ['the only one', [['a', 'remote', 9]], 'a'],
  [
    'the local one, however busy',
    [
      ['a', 'remote', 0],
      ['b', 'local', 99],
    ],
    'b',
  ],
  [
    'the remote one with fewer calls in flight',
    [
      ['a', 'remote', 2],
      ['b', 'remote', 1],
    ],
    'b',
  ],
  [
    'the first of those with as many',
    [
      ['a', 'remote', 1],
      ['b', 'remote', 1],
    ],
    'a',
  ],
  [
    'the local one with fewer calls',
    [
      ['a', 'local', 3],
      ['b', 'local', 1],
      ['c', 'remote', 0],
    ],
    'b',
  ],
  [
    'a remote one before a local one that failed lately',
    [
      ['a!', 'local', 0],
      ['b', 'remote', 9],
    ],
    'b',
  ],
  [
    'the local one where all failed lately',
    [
      ['a!', 'remote', 0],
      ['b!', 'local', 9],
    ],
    'b!',
  ],
])('pick: %s', (_what, told, picked) => {
  const targets = told.map(([name, place]) => target(name, place));
  const inFlight = ({ nodeName }: Target) => told.find(([name]) => name === nodeName)?.[2] ?? 0;
  const isFit = ({ nodeName }: Target) => !nodeName.endsWith('!');
  expect(pick(targets, { isFit, inFlight })?.nodeName).toBe(picked);
});

test.each([
  ['local', 'local' as const, {}, 'alpha; model=m; upstream=p; attempts=1'],
  ['remote', 'remote' as const, {}, 'alpha>bravo; model=m; upstream=p; attempts=1'],
  [
    'with a slash and a colon',
    'local' as const,
    { id: 'Qwen/Qwen3:8b' },
    'alpha; model=Qwen/Qwen3:8b; upstream=p; attempts=1',
  ],
  [
    'with a space and what parts the fields',
    'local' as const,
    { id: 'a b;c,d%e' },
    'alpha; model=a%20b%3bc%2cd%25e; upstream=p; attempts=1',
  ],
  [
    'with letters beyond ASCII',
    'local' as const,
    { id: 'größe😀' },
    'alpha; model=gr%c3%b6%c3%9fe%f0%9f%98%80; upstream=p; attempts=1',
  ],
  [
    'with half a character',
    'local' as const,
    { id: 'x\ud800' },
    'alpha; model=x%ef%bf%bd; upstream=p; attempts=1',
  ],
  ['with a line break', 'local' as const, { id: 'a\r\nb' }, 'alpha; model=a%0d%0ab; upstream=p; attempts=1'],
])('the route of a target %s is one line of printable ASCII', (_what, place, more, route) => {
  const written = routeOf(target('bravo', place, more), { entry: 'alpha', failed: [] });
  expect(written).toBe(route);
  expect(written).toMatch(/^[\x20-\x7e]+$/);
});

test('a route tells what was tried before, and why that was not enough', () => {
  const failed = [
    { target: target('charlie', 'remote'), error: new ClawError('upstream_unreachable', 'x') },
    { target: target('delta', 'remote'), error: new ClawError('upstream_error', 'x', { status: 503 }) },
  ];
  expect(routeOf(target('bravo', 'remote'), { entry: 'alpha', failed })).toBe(
    'alpha>bravo; model=m; upstream=p; attempts=3; failed=charlie:upstream_unreachable,delta:503',
  );
});
