/** Every case of the matrix in one process: what `npm run conformance` plays through two daemons. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Case, readCases } from '../../conformance/case.ts';
import { judged } from '../../conformance/judge.ts';
import { deafness, ownJudges } from '../../conformance/judges.ts';
import type { RunningPlace } from '../../conformance/nodes.ts';
import { playCase } from '../../conformance/player.ts';
import { startOneNode } from './place.ts';

const cases = readCases();
let place: RunningPlace;

beforeAll(async () => {
  place = await startOneNode(cases);
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

test('there are at least 150 cases', () => {
  expect(cases.length).toBeGreaterThanOrEqual(150);
});

describe.each(['chat-chat', 'chat-responses', 'responses-chat', 'responses-responses'])('%s', (folder) => {
  const own = cases
    .filter(({ name }) => name.startsWith(`${folder}/`))
    .map((one) => [one.name, one] as const);

  test.each(own)('%s: the client sees what the case says, and the SDK hears it', async (_, one) => {
    const faults = await faultsOf(one);
    // As an error, and not by `expect`, which would cut what is wrong to a line.
    if (faults.length > 0) throw new Error(faults.join('\n'));
  });
});

async function faultsOf(one: Case): Promise<readonly string[]> {
  const { faults, told } = await playCase(one, place);
  if (faults.length > 0 || told === undefined) return faults;
  const headers: Record<string, string> = { 'content-type': String(told.headers['content-type']) };
  const recording = { status: told.status, headers, text: told.text, whole: told.whole };
  const asked = ownJudges.filter(({ dialect, stream }) => dialect === one.client && stream === one.stream);
  const heard = await Promise.all(
    asked.map(async (judge) => {
      const found = judged(one, await judge.hear(recording), deafness(judge, one));
      return found.map((fault) => `${judge.name}: ${fault}`);
    }),
  );
  return heard.flat();
}
