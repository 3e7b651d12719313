import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { commandsPage } from '../../docs/commands-page.ts';
import { configurationPage, exampleValue } from '../../docs/configuration-page.ts';
import { EXAMPLES } from '../../docs/examples.ts';
import { EXIT } from '../../src/cli/exit.ts';
import { STATUS } from '../../src/core/errors.ts';
import { testHome } from '../config/home.ts';

const page = (name: string) => readFile(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

test.each([
  ['configuration.md', configurationPage],
  ['cli.md', async () => commandsPage()],
])('docs/%s is what the program says ("npm run docs" writes it)', async (name, made) => {
  expect(await page(name)).toBe(await made());
});

test('every key of the configuration has its meaning in docs/configuration.md', async () => {
  const lines = (await configurationPage()).split('\n').filter((line) => line.startsWith('| `'));
  expect(lines.length).toBeGreaterThan(40);
  expect(lines.filter((line) => /\| +\|$/.test(line))).toEqual([]);
});

test.each(Object.entries(EXAMPLES))('the example of %s is valid', async (key, text) => {
  const home = await testHome();
  await home.file('mesh.key', Buffer.alloc(32, 8).toString('base64url'));
  const value = exampleValue(text);
  expect(Object.keys(value ?? {})).toEqual([key]);
  await home.config(JSON.stringify(value));
  const env = {
    OPENAI_API_KEY: 'sk-0123456789',
    VLLM_KEY: 'vllm-0123456789',
    OPENCLAW_GATEWAY_TOKEN: 'token-0123456789',
  };
  const result = await home
    .load({ env: { ...env, PROXY_KEY: 'k'.repeat(32), HOME: home.path } })
    .catch(String);
  // OpenClaw is on no machine of a test.
  if (key === 'openclaw') expect(result).toMatch(/one fault.*\n.*openclaw\.json: there is no such file$/);
  else expect(result).toHaveProperty('config');
});

test('every key of the top has an example', async () => {
  const sections = (await configurationPage()).match(/^## .*$/gm) ?? [];
  expect(sections.map((title) => title.slice(3)).sort()).toEqual(Object.keys(EXAMPLES).sort());
});

test('docs/troubleshooting.md has every error code with its status, and no other', async () => {
  const titles = (await page('troubleshooting.md')).matchAll(/^### `(\w+)` · (\d+)$/gm);
  const told = [...titles].map(([, code, status]) => [code, Number(status)]);
  expect(told.sort()).toEqual(Object.entries(STATUS).sort());
});

test('docs/cli.md has every exit code', async () => {
  const codes = [...(await page('cli.md')).matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
  expect(codes).toEqual([...Object.values(EXIT), 130, 143]);
});
