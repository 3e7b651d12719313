/** Translating one request: what the tests of both directions share. */
import type { Dialect } from '../../src/core/call.ts';
import { ClawError } from '../../src/core/errors.ts';
import { shapes } from '../../src/dialect/dialects.ts';
import { emulated } from '../../src/dialect/emulate/emulation.ts';

export function translated(from: Dialect, to: Dialect, body: object): unknown {
  const read = shapes[from].readRequest({ model: 'm', ...body });
  const { request } = emulated(read, shapes[to].abilities);
  return shapes[to].writeRequest(request, 'owned');
}

export function toChat(body: object): unknown {
  return translated('responses', 'chat', body);
}

export function toResponses(body: object): unknown {
  return translated('chat', 'responses', body);
}

export function refusal(run: () => unknown): ClawError {
  try {
    run();
  } catch (error) {
    if (error instanceof ClawError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

export const weather = {
  name: 'weather',
  description: 'of a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
};
export const user = { role: 'user', content: 'Hi' };
export const chatTool = { type: 'function', function: weather };
export const call = {
  id: 'call_1',
  type: 'function',
  function: { name: 'weather', arguments: '{"city":"Rome"}' },
};
