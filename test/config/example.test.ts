import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { starterConfig } from '../../src/cli/starter.ts';
import { configSchema } from '../../src/config/schema.ts';
import { testHome } from './home.ts';

const example = new URL('../../clawmatrix.example.json', import.meta.url);
const env = { OPENAI_API_KEY: 'sk-0123456789', OPENAI_ORGANIZATION: 'org-1' };

test('the example is valid, without a warning', async () => {
  const home = await testHome();
  await home.file('vllm.key', 'vllm-0123456789\n');
  await cp(example, join(home.path, 'clawmatrix.json'));
  const loaded = await home.load({ env });
  expect(loaded.warnings).toEqual([]);
  expect(loaded.offer.upstreams).toHaveLength(3);
  expect(loaded.offer.announced).toHaveLength(2);
});

test('the example shows every key of the schema', async () => {
  const text = await readFile(example, 'utf8');
  const schema: unknown = z.toJSONSchema(
    configSchema(async () => ({ ok: false, fault: '' })),
    { io: 'input' },
  );
  const missing = [...keysOf(schema)].filter((key) => !text.includes(`"${key}"`));
  expect(missing).toEqual([]);
});

test('every key says what it means', () => {
  const schema: unknown = z.toJSONSchema(
    configSchema(async () => ({ ok: false, fault: '' })),
    { io: 'input' },
  );
  expect([...silentKeysOf(schema)]).toEqual([]);
});

test('what init writes is valid, without a warning, and so is each of its suggestions', async () => {
  const home = await testHome();
  await home.config(starterConfig('studio'));
  expect((await home.load()).warnings).toEqual([]);
  const text = starterConfig('studio');
  await home.config(text.replaceAll(/^( +)\/\/ (?=["{])/gm, '$1'));
  const loaded = await home.load({ env });
  expect(loaded).toMatchObject({
    listen: { port: 19_700 },
    peers: [{ url: 'ws://hub.lan:19700' }],
    warnings: [],
  });
  expect(loaded.offer.upstreams).toHaveLength(1);
});

function* keysOf(schema: unknown): Generator<string> {
  if (typeof schema !== 'object' || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'properties' && typeof value === 'object' && value !== null) yield* Object.keys(value);
    yield* keysOf(value);
  }
}

/** The paths of keys without a description; a reference to another part of the schema is that part. */
function* silentKeysOf(schema: unknown, path = ''): Generator<string> {
  if (typeof schema !== 'object' || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    if (key !== 'properties') {
      yield* silentKeysOf(value, path);
      continue;
    }
    for (const [name, described] of Object.entries(Object(value))) {
      const at = `${path}.${name}`;
      if (!Object.hasOwn(Object(described), 'description')) yield at;
      yield* silentKeysOf(described, at);
    }
  }
}
