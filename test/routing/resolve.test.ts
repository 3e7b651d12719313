import { expect, test } from 'vitest';
import type { Target } from '../../src/core/call.ts';
import type { NodeId } from '../../src/core/ids.ts';
import type { CatalogNode } from '../../src/routing/catalog.ts';
import { type Resolution, resolve } from '../../src/routing/resolve.ts';
import { first, fourth, second, third } from '../support/identities.ts';

interface Told {
  readonly name: string;
  readonly id: NodeId;
  readonly live?: boolean;
  /** As `provider>id`. */
  readonly models: readonly string[];
}

function node({ name, id, live = true, models }: Told): CatalogNode {
  const targets = models.map((text): Target => {
    const [provider = '', model = ''] = text.split('>');
    return {
      card: { id: model, provider, dialect: 'chat' },
      node: id,
      nodeName: name,
      place: 'remote',
      answer: () => Promise.reject(new Error('not asked here')),
    };
  });
  return { id, name, live, targets };
}

const NODES = [
  node({ name: 'studio', id: first.id, models: ['ollama>qwen3:8b', 'vllm>Qwen/Qwen3-8B', 'openai>gpt-5'] }),
  node({
    name: 'attic',
    id: second.id,
    models: ['ollama>qwen3:8b', 'ollama>studio/odd', 'vllm>meta/llama-70b'],
  }),
  node({
    name: 'cellar',
    id: third.id,
    live: false,
    models: ['ollama>qwen3:8b', 'ollama>lost', 'vllm>other/llama-70b'],
  }),
  node({ name: 'twin', id: fourth.id, models: ['ollama>both', 'ollama>gpt-5'] }),
];

/** `found studio:ollama>qwen3:8b …`, or what else it came to. */
function said(found: Resolution): string {
  switch (found.kind) {
    case 'found':
      return [
        'found',
        ...found.targets.map(({ nodeName, card }) => `${nodeName}:${card.provider}>${card.id}`),
      ].join(' ');
    case 'offline':
      return `offline ${found.nodes.join(' ')}`;
    case 'ambiguous':
      return `ambiguous ${found.names.join(' ')}`;
    case 'unknown':
      return 'unknown';
  }
}

test.each([
  [
    'an exact id, on every live node that has it',
    'qwen3:8b',
    'found studio:ollama>qwen3:8b attic:ollama>qwen3:8b',
  ],
  ['an exact id with a slash', 'Qwen/Qwen3-8B', 'found studio:vllm>Qwen/Qwen3-8B'],
  ['an exact id before a node of its first part', 'studio/odd', 'found attic:ollama>studio/odd'],
  ['a node by name', 'attic/qwen3:8b', 'found attic:ollama>qwen3:8b'],
  ['a node by id', `${second.id}/qwen3:8b`, 'found attic:ollama>qwen3:8b'],
  ['a node and an id with a slash', 'studio/Qwen/Qwen3-8B', 'found studio:vllm>Qwen/Qwen3-8B'],
  ['a node, a provider and an id', 'studio/vllm/Qwen/Qwen3-8B', 'found studio:vllm>Qwen/Qwen3-8B'],
  ['a provider', 'ollama/qwen3:8b', 'found studio:ollama>qwen3:8b attic:ollama>qwen3:8b'],
  ['a provider that tells two models of one id apart', 'openai/gpt-5', 'found studio:openai>gpt-5'],
  ['a provider and an id with a slash', 'vllm/Qwen/Qwen3-8B', 'found studio:vllm>Qwen/Qwen3-8B'],
  ['the last part of an id that one model has', 'Qwen3-8B', 'found studio:vllm>Qwen/Qwen3-8B'],
  ['the last part of two ids', 'llama-70b', 'ambiguous meta/llama-70b other/llama-70b'],
  ['a model of a node that is down', 'lost', 'offline cellar'],
  ['a node that is down', 'cellar/qwen3:8b', 'offline cellar'],
  ['a node that is down, by id', `${third.id}/lost`, 'offline cellar'],
  ['a node without that model', 'attic/gpt-5', 'unknown'],
  ['a provider without that model', 'openai/qwen3:8b', 'unknown'],
  ['part of a word', 'wen3-8B', 'unknown'],
  ['other letters', 'qwen/qwen3-8b', 'unknown'],
  ['nothing', '', 'unknown'],
  ['a slash', '/', 'unknown'],
  ['a slash before an id', '/qwen3:8b', 'unknown'],
  ['a node and nothing', 'studio/', 'unknown'],
])('%s: %s', (_what, text, meaning) => {
  expect(said(resolve(text, NODES))).toBe(meaning);
});

test('a name that two live nodes share means neither: the error lists a spelling for each, and each works', () => {
  const nodes = [
    node({ name: 'studio', id: first.id, models: ['ollama>m'] }),
    node({ name: 'studio', id: second.id, models: ['ollama>m'] }),
  ];
  const found = resolve('studio/m', nodes);
  expect(said(found)).toBe(`ambiguous ${first.id}/m ${second.id}/m`);
  for (const name of found.kind === 'ambiguous' ? found.names : [])
    expect(resolve(name, nodes).kind).toBe('found');
});

test('of two live nodes of one name, the one that has the model is meant', () => {
  const nodes = [
    node({ name: 'studio', id: first.id, models: ['ollama>m'] }),
    node({ name: 'studio', id: second.id, models: ['ollama>other'] }),
  ];
  expect(said(resolve('studio/m', nodes))).toBe('found studio:ollama>m');
});

test('a live node takes the name of one that is down', () => {
  const nodes = [
    node({ name: 'studio', id: first.id, live: false, models: ['ollama>old', 'ollama>m'] }),
    node({ name: 'studio', id: second.id, models: ['ollama>m'] }),
  ];
  expect(said(resolve('studio/m', nodes))).toBe('found studio:ollama>m');
  expect(said(resolve(`${first.id}/old`, nodes))).toBe('offline studio');
});

test.each([
  ['a mistyped tag', 'qwen3:9b', ['qwen3:8b', 'Qwen/Qwen3-8B']],
  ['nothing like any', 'zzzzzz', []],
])('an unknown name is answered with the nearest ones, each once: %s', (_what, text, nearest) => {
  expect(resolve(text, NODES)).toMatchObject({ kind: 'unknown', nearest });
});

test('without any model there is nothing near, and the answer says that none is known', () => {
  expect(resolve('x', [])).toEqual({ kind: 'unknown', nearest: [], known: 0 });
});
