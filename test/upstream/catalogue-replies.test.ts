/** The fault catalogue, group Upstream: replies that are refusals, redirects or no model's at all. */
import { describe, expect, test } from 'vitest';
import type { Call, Reply } from '../../src/core/call.ts';
import * as scripted from '../support/scripted-upstream.ts';
import { call, KEY, live, read, streamCall, thrown, upstreams, where } from './one-upstream.ts';

const forms: readonly [string, () => Call][] = [
  ['plain', () => call()],
  ['stream', () => streamCall()],
  ['responses stream', () => streamCall({ dialect: 'responses' })],
];

async function ask(script: scripted.Script, sent: Call): Promise<{ reply: Reply; text: string }> {
  await using upstream = await scripted.startUpstream();
  await using ours = upstreams(upstream.baseUrl, { dialect: sent.dialect });
  upstream.next(script);
  const reply = await ours.answer(sent, live());
  return { reply, text: await read(reply) };
}

describe.each(forms)('UP1: a %s call', (_form, made) => {
  test.each([401, 403, 404, 429, 500, 503, 529])(
    'UP1: that is refused with %i gets its status, words and Retry-After, without the key',
    async (status) => {
      const error = { message: `no: ${KEY}`, type: 'its_type', code: 'its_code', param: KEY };
      const headers = { 'retry-after': '7', 'set-cookie': 'a=b', 'x-debug': KEY };
      const { reply, text } = await ask(scripted.refuses(status, error, headers), made());
      expect(reply.status).toBe(status);
      expect(reply.headers).toEqual({ 'content-type': 'application/json', 'retry-after': '7' });
      expect(JSON.parse(text)).toEqual({
        error: {
          message: expect.stringMatching(new RegExp(`^the upstream answered ${status}: no: \\[secret\\]`)),
          type: 'its_type',
          param: '[secret]',
          code: 'its_code',
        },
      });
      expect(text).toContain(where.slice(1, -1));
      expect(text).not.toContain(KEY);
    },
  );

  test.each([
    ['HTML', { 'content-type': 'text/html' }, `<html>${KEY}</html>`, /HTTP 503 with an HTML body/],
    ['nothing', {}, '', /HTTP 503 with an empty body/],
    ['a sentence', { 'content-type': 'text/plain' }, `overloaded ${KEY}`, /overloaded \[secret\]/],
    ['a picture', { 'content-type': 'image/png' }, '\u0000\u0001', /HTTP 503 with a body of type image\/png/],
    ['JSON of no form', { 'content-type': 'application/json' }, `["${KEY}"]`, /HTTP 503 with a JSON body/],
    ['an event', { 'content-type': 'text/event-stream' }, 'data: {}\n\n', /type text\/event-stream/],
  ])('UP1: that is refused with %s is told so in the one form', async (_what, headers, body, words) => {
    const script = scripted.raw({ status: 503, headers: { ...headers, 'retry-after': '9' } }, body);
    const { reply, text } = await ask(script, made());
    expect(reply).toMatchObject({ status: 503, headers: { 'retry-after': '9' } });
    expect(JSON.parse(text).error).toMatchObject({
      type: 'server_error',
      message: expect.stringMatching(words),
    });
    expect(text).not.toContain(KEY);
  });

  test.each([
    ['HTML', { 'content-type': 'text/html' }, '<html>', /200 with an HTML body/],
    ['an empty body', { 'content-type': 'application/json' }, '', /an empty body/],
    ['a picture', { 'content-type': 'image/png' }, '\u0089PNG....', /200 with a body of type image\/png/],
  ])('UP1: that is answered 200 with %s gets 502 with the place', async (_what, headers, body, words) => {
    const error = await thrown(ask(scripted.raw({ headers }, body), made()));
    expect(error).toMatchObject({
      code: 'upstream_protocol',
      status: 502,
      message: expect.stringMatching(words),
    });
    expect(error.message).toContain(where);
  });
});

test.each([301, 302, 303, 307, 308])(
  'UP5: a redirect (%i) to another host or to a metadata service is not followed, and no key is sent there',
  async (status) => {
    await using other = await scripted.startUpstream();
    await using upstream = await scripted.startUpstream();
    await using ours = upstreams(upstream.baseUrl);
    const metadata = 'http://169.254.169.254/latest/meta-data?token=x';
    for (const location of [`${other.baseUrl}/steal?token=x`, metadata, '/v1/elsewhere', 'http://[', '']) {
      for (const [, made] of forms.slice(0, 2)) {
        upstream.next(scripted.raw({ status, headers: location === '' ? {} : { location } }, ''));
        const error = await thrown(ours.answer(made(), live()));
        expect(error).toMatchObject({ code: 'upstream_protocol', status: 502 });
        expect(error.message).toContain(`${status}, a redirect`);
        expect(error.message).toContain('redirects are not followed');
        expect(error.message).not.toMatch(/token|steal|meta-data/);
      }
    }
    expect(other.requests).toHaveLength(0);
    expect(upstream.requests).toHaveLength(10);
  },
);
