/** A Responses request as its server takes it: what that is known not to take is changed, and nothing else. */
import type { Compat } from '../../core/compat.ts';
import { isSealed, SEALED_BEGINS } from '../../dialect/reasoning-blob.ts';
import { isObject, type JsonObject } from '../../lib/json.ts';
import { type Fitted, Fitting } from './fitting.ts';

const DEVELOPER = Buffer.from('"developer"');

export function fitResponses(body: Uint8Array, compat: Compat, stream: boolean): Fitted {
  const fitting = new Fitting(body, compat, stream);
  fitting.fitAccount();
  fitEffort(fitting);
  fitting.fitTools();
  fitInput(fitting);
  return fitting.fitted;
}

function fitEffort(fitting: Fitting): void {
  const { members, compat } = fitting;
  const reasoning = members.value('reasoning');
  if (!isObject(reasoning) || typeof reasoning.effort !== 'string') return;
  if (compat.supportsReasoningEffort === false) {
    const { effort: _effort, ...rest } = reasoning;
    fitting.tell('reasoning.effort');
    if (Object.keys(rest).length === 0) members.remove('reasoning');
    else members.set('reasoning', rest);
    return;
  }
  const effort = fitting.mapped(reasoning.effort);
  if (effort !== reasoning.effort) members.set('reasoning', { ...reasoning, effort });
}

function fitInput(fitting: Fitting): void {
  const { members, compat } = fitting;
  const roles = compat.supportsDeveloperRole === false && fitting.mentions('input', DEVELOPER);
  const sealed = fitting.mentions('input', SEALED_BEGINS);
  if (!roles && !sealed) return;
  const input = members.value('input');
  if (!Array.isArray(input)) return;
  const own: readonly unknown[] = sealed ? input.filter((item) => !isSealedReasoning(item)) : input;
  if (own.length < input.length) fitting.tell('input.reasoning');
  else if (!roles) return;
  members.set('input', roles ? own.map(asSystem) : own);
}

/** What we kept for a server of another dialect: this one cannot read it, and would refuse the whole request for it. */
function isSealedReasoning(item: unknown): boolean {
  return isObject(item) && item.type === 'reasoning' && isSealed(item.encrypted_content);
}

function asSystem(item: unknown): unknown {
  return isObject(item) && item.role === 'developer' && isMessage(item) ? { ...item, role: 'system' } : item;
}

/** Items of other kinds say who made them, and are not read by a chat template. */
function isMessage({ type }: JsonObject): boolean {
  return type === undefined || type === 'message';
}
