/** An edge for each test of a file: on a clock that the test moves, before an owner that it scripts. It leaves nothing behind. */
import { afterEach, beforeEach } from 'vitest';
import type { EdgeParts } from '../../src/http/server.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ScriptedOwner } from '../support/scripted-answer.ts';
import { type Started, startWith } from './start.ts';

export interface ScriptedEdge {
  readonly clock: FakeClock;
  readonly owner: ScriptedOwner;
  readonly on: Started;
}

/** `begun` is handed a new one before each test. */
export function withScriptedEdge(begun: (edge: ScriptedEdge) => void, parts: Partial<EdgeParts> = {}): void {
  let edge: ScriptedEdge;
  beforeEach(async () => {
    const clock = new FakeClock();
    const owner = new ScriptedOwner();
    edge = { clock, owner, on: await startWith(owner.answer, { parts: { clock, ...parts } }) };
    begun(edge);
  });
  afterEach(async () => {
    const { clock, on } = edge;
    await on[Symbol.asyncDispose]();
    await eventually('no timer is left', () => clock.pending === 0);
    await eventually('all bytes are given back', () => on.budget.usedBytes === 0);
  });
}
