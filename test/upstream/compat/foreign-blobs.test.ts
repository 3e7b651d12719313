/** A conversation that moves to a server of another dialect: what its client kept for the one before stays here. */
import { expect, test } from 'vitest';
import type { Dialect } from '../../../src/core/call.ts';
import type { Compat } from '../../../src/core/compat.ts';
import { LEFT_OUT_HEADER } from '../../../src/core/header-names.ts';
import { writeForeignBlob } from '../../../src/dialect/chat/reasoning.ts';
import { sealReasoning } from '../../../src/dialect/reasoning-blob.ts';
import { fitFor } from '../../../src/upstream/compat/fit-for.ts';
import { json, startUpstream } from '../../support/scripted-upstream.ts';
import { call, live, read, upstreams } from '../one-upstream.ts';

const user = { role: 'user', content: 'Hi' };
const asked = { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' };
const sealed = sealReasoning({ text: 'Hm', blob: { dialect: 'chat', provider: 'deepseek', data: '{}' } });
const ours = {
  type: 'reasoning',
  id: 'rs_1',
  summary: [{ type: 'summary_text', text: 'Hm' }],
  encrypted_content: sealed,
};
const theirs = { ...ours, encrypted_content: 'gAAAA' };
const detail = writeForeignBlob({ dialect: 'responses', data: 'gAAAA' }, 'openai', 0);
const routers = { type: 'reasoning.encrypted', data: 'x', format: 'openai-responses-v1', index: 0 };
const said = (...reasoning_details: unknown[]) => ({
  role: 'assistant',
  content: 'So',
  reasoning_content: 'Hm',
  reasoning_details,
});

function fitted(dialect: Dialect, request: object, compat?: Compat) {
  const card = { id: 'm', provider: 'p', dialect };
  const body = Buffer.from(JSON.stringify(request));
  const fit = fitFor({ card, ...(compat === undefined ? {} : { compat }) })?.(body, false);
  return fit === undefined
    ? undefined
    : { sent: JSON.parse(Buffer.from(fit.body).toString()), leftOut: fit.leftOut };
}

test.each<[string, Dialect, object, object, string]>([
  [
    'reasoning that was kept for a chat server',
    'responses',
    { model: 'm', input: [user, ours, asked, theirs] },
    { model: 'm', input: [user, asked, theirs] },
    'input.reasoning',
  ],
  [
    'a blob of a Responses server, of which the words stay',
    'chat',
    { model: 'm', messages: [user, said(detail)] },
    { model: 'm', messages: [user, { role: 'assistant', content: 'So', reasoning_content: 'Hm' }] },
    'messages.reasoning_details',
  ],
  [
    'that blob among others',
    'chat',
    { model: 'm', messages: [said(routers, detail)] },
    { model: 'm', messages: [said(routers)] },
    'messages.reasoning_details',
  ],
])('%s does not pass, whatever is known of the server', (_, dialect, request, sent, name) => {
  for (const compat of [undefined, { supportsTemperature: true }])
    expect(fitted(dialect, request, compat)).toEqual({ sent, leftOut: [name] });
});

test('what a provider made passes in the very bytes that came', () => {
  expect(fitted('responses', { input: [user, theirs] })).toBeUndefined();
  expect(fitted('chat', { messages: [said(routers)] })).toBeUndefined();
  // Words that only look like ours.
  const spoken = { messages: [{ role: 'user', content: 'clawmatrix:responses:openai' }] };
  expect(fitted('chat', spoken)).toEqual({ sent: spoken, leftOut: [] });
});

test('the server does not see it, the client is told, and a compaction is asked for without it too', async () => {
  await using server = await startUpstream();
  await using on = upstreams(server.baseUrl, { dialect: 'responses' });
  const body = Buffer.from(JSON.stringify({ model: 'm', input: [user, ours] }));
  for (const operation of [undefined, { kind: 'compact' } as const]) {
    server.next(json(200, { object: 'response', id: 'resp_1', status: 'completed', output: [] }));
    const reply = await on.answer(
      call({ dialect: 'responses', body, ...(operation === undefined ? {} : { operation }) }),
      live(),
    );
    expect(reply.headers[LEFT_OUT_HEADER]).toBe('input.reasoning');
    await read(reply);
  }
  for (const at of [0, 1]) {
    const { body: got } = await server.request(at);
    expect(JSON.parse(Buffer.from(got).toString())).toEqual({ model: 'qwen3:8b', input: [user] });
  }
});
