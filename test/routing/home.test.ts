/** Who may answer a call that refers to something, or asks for something beside a new answer. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Call, Dialect, Operation, Target } from '../../src/core/call.ts';
import type { ClawError } from '../../src/core/errors.ts';
import type { NodeId } from '../../src/core/ids.ts';
import { Catalog } from '../../src/routing/catalog.ts';
import { Router } from '../../src/routing/router.ts';
import { ask, type Got, makeCall } from '../support/exchange-node.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { first, second } from '../support/identities.ts';
import { ScriptedOwner } from '../support/scripted-answer.ts';

let catalog: Catalog;
let router: Router;
let owners: { readonly bravo: ScriptedOwner; readonly charlie: ScriptedOwner };

beforeEach(() => {
  catalog = new Catalog();
  owners = { bravo: new ScriptedOwner(), charlie: new ScriptedOwner() };
  router = new Router({
    catalog,
    clock: new FakeClock(),
    entry: 'alpha',
    translate: (answer) => answer,
    isPrelude: () => false,
  });
  known();
});

interface Known {
  readonly live?: boolean;
  readonly bravo?: Dialect;
  readonly agent?: boolean;
}

function known({ live = true, bravo = 'responses', agent = false }: Known = {}): void {
  catalog.replace([
    { id: first.id, name: 'bravo', live, targets: [target('bravo', first.id, bravo, agent)] },
    { id: second.id, name: 'charlie', live: true, targets: [target('charlie', second.id, 'chat', agent)] },
  ]);
}

function target(nodeName: 'bravo' | 'charlie', node: NodeId, dialect: Dialect, agent: boolean): Target {
  const { answer } = owners[nodeName];
  return { card: { id: 'm', provider: 'p', dialect, agent }, node, nodeName, place: 'remote', answer };
}

async function asked(more: Partial<Call>, model = 'm'): Promise<Got> {
  const { call } = makeCall({ dialect: 'responses', model: { id: model }, ...more });
  const got = ask(router.answer, call, new AbortController().signal);
  await new Promise((resolve) => setImmediate(resolve));
  return got;
}

const errorOf = ({ end }: Got) => end as ClawError;
const calls = () => [owners.bravo.calls.length, owners.charlie.calls.length];

describe('a call with a home', () => {
  const home = { node: second.id, provider: 'p', id: 'm' };

  test('goes there each time, however busy it is, and to no other when it fails', async () => {
    for (let turn = 0; turn < 4; turn++) await asked({ home });
    expect(calls()).toEqual([0, 4]);
    const got = await asked({ home });
    owners.charlie.last.fail(new Error('broken'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(errorOf(got).code).toBe('internal');
    expect(calls()).toEqual([0, 5]);
  });

  test('is told where it belongs when that takes no calls', async () => {
    known({ live: false });
    const error = errorOf(await asked({ home: { ...home, node: first.id } }));
    expect(error.code).toBe('no_owner');
    expect(error.message).toMatch(/provider p of node bravo/);
    expect(calls()).toEqual([0, 0]);
  });
});

describe('an operation', () => {
  const operation: Operation = { kind: 'input_tokens' };

  test('goes only to servers that speak its dialect', async () => {
    for (let turn = 0; turn < 3; turn++) await asked({ operation });
    expect(calls()).toEqual([3, 0]);
  });

  test.each([
    ['speak only chat', { bravo: 'chat' } as const],
    ['are agents', { agent: true }],
  ])('is refused where all %s, with what to do', async (_name, as) => {
    known(as);
    const error = errorOf(await asked({ operation }));
    expect(error).toMatchObject({ code: 'unsupported_operation', status: 404, param: 'model' });
    expect(error.message).toMatch(/m has no "input_tokens".*openai-/);
    expect(calls()).toEqual([0, 0]);
  });
});

test('who wants to know beforehand is told the live targets of a name, and nothing of one that means none', () => {
  const names = (model: string) => router.live(model).map(({ nodeName }) => nodeName);
  expect(names('m')).toEqual(['bravo', 'charlie']);
  expect(names('charlie/m')).toEqual(['charlie']);
  expect(names('x')).toEqual([]);
  known({ live: false });
  expect(names('m')).toEqual(['charlie']);
  expect(names('bravo/m')).toEqual([]);
});
