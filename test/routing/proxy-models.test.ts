/** `proxyModels`: other words for a model in the list, the one node that it is called on, and what it is told. */
import { describe, expect, test } from 'vitest';
import type { Card } from '../../src/core/card.ts';
import type { Answer, Target } from '../../src/core/call.ts';
import type { NodeId } from '../../src/core/ids.ts';
import { modelRow, modelRows } from '../../src/http/models.ts';
import { Catalog } from '../../src/routing/catalog.ts';
import { viewsOf } from '../../src/routing/model-view.ts';
import { type ProxyModel, ProxyModels } from '../../src/routing/proxy-models.ts';
import { Router } from '../../src/routing/router.ts';
import { ask, makeCall } from '../support/exchange-node.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { first, second } from '../support/identities.ts';
import { ScriptedOwner } from '../support/scripted-answer.ts';

interface Nodes {
  readonly bravo?: boolean;
  readonly charlie?: boolean;
  /** Of both nodes. */
  readonly cards?: readonly Card[];
}

const card = (more: Partial<Card> = {}): Card => ({ id: 'm', provider: 'p', dialect: 'chat', ...more });

/** Two nodes that have the same models. */
function mesh(
  entries: readonly ProxyModel[],
  { bravo = true, charlie = true, cards = [card()] }: Nodes = {},
) {
  const owners = { bravo: new ScriptedOwner(), charlie: new ScriptedOwner() };
  const catalog = new Catalog(new ProxyModels(entries));
  const node = (name: 'bravo' | 'charlie', id: NodeId, live: boolean) => {
    const answer: Answer = (call, signal) => owners[name].answer(call, signal);
    const targets = cards.map((one): Target => ({
      card: one,
      node: id,
      nodeName: name,
      place: 'remote',
      answer,
    }));
    return { id, name, live, targets };
  };
  catalog.replace([node('bravo', first.id, bravo), node('charlie', second.id, charlie)]);
  const router = new Router({
    catalog,
    clock: new FakeClock(),
    entry: 'alpha',
    translate: (answer) => answer,
    isPrelude: () => false,
  });
  const asked = async (model: string) => {
    const got = ask(router.answer, makeCall({ model: { id: model } }).call, new AbortController().signal);
    await new Promise((resolve) => setImmediate(resolve));
    return { end: got.end, calls: [owners.bravo.calls.length, owners.charlie.calls.length] };
  };
  return { catalog, asked, rows: (all = false) => modelRows(viewsOf(catalog), all) };
}

describe('a pin', () => {
  const pinned = { id: 'm', nodeId: 'charlie' };

  test.each([
    ['its name', pinned],
    ["the node's id", { id: 'm', nodeId: second.id }],
    ['its name and provider', { ...pinned, provider: 'p' }],
  ])('by %s: calls go to that node and no other', async (_, entry) => {
    const { asked } = mesh([entry]);
    for (const name of ['m', 'p/m', 'charlie/m']) await asked(name);
    expect((await asked('m')).calls).toEqual([0, 4]);
  });

  test.each([
    ['of another provider', { ...pinned, provider: 'q' }],
    ['of another model', { ...pinned, id: 'other' }],
  ])('%s binds no call', async (_, entry) => {
    const { asked } = mesh([entry], { charlie: false });
    expect((await asked('m')).calls).toEqual([1, 0]);
  });

  test('binds the models of its provider alone', async () => {
    const { asked } = mesh([{ ...pinned, provider: 'p' }], { cards: [card(), card({ provider: 'q' })] });
    expect((await asked('bravo/q/m')).calls).toEqual([1, 0]);
    expect((await asked('bravo/p/m')).end).toMatchObject({ code: 'no_owner' });
  });

  test.each([
    ['down', pinned, { charlie: false }],
    ['not there', { id: 'm', nodeId: 'nobody' }, {}],
  ])('to a node that is %s is a 503 that says so, though another has the model', async (_, entry, nodes) => {
    const { asked } = mesh([entry], nodes);
    for (const name of ['m', 'p/m', 'bravo/m']) {
      const { end, calls } = await asked(name);
      expect(end).toMatchObject({
        code: 'no_owner',
        status: 503,
        param: 'model',
        message: expect.stringContaining(`pinned to node ${entry.nodeId}`),
      });
      expect(calls).toEqual([0, 0]);
    }
  });

  test('is seen in the list: the row is that of the node that is called', () => {
    expect(mesh([pinned]).rows()).toMatchObject([{ id: 'm', node_id: second.id, reachable: true }]);
    const down = mesh([pinned], { charlie: false });
    expect(down.rows()).toEqual([]);
    expect(down.rows(true)).toMatchObject([{ id: 'm', reachable: false }]);
  });
});

describe('words for a model', () => {
  const words = {
    description: 'quick',
    contextWindow: 9,
    maxTokens: 3,
    input: ['text', 'image'],
    reasoning: true,
    cost: { input: 1, output: 2 },
  } satisfies Omit<ProxyModel, 'id'>;
  const listed = {
    description: 'quick',
    context_window: 9,
    max_tokens: 3,
    input: ['text', 'image'],
    reasoning: true,
    cost: { input: 1, output: 2, cacheRead: 0, cacheWrite: 0 },
  };

  test("go over its card's, in the list and in its own row", () => {
    const { catalog, rows } = mesh([{ id: 'm', ...words }], {
      cards: [card({ description: 'slow', contextWindow: 1, maxTokens: 1, input: ['text'] })],
    });
    expect(rows()).toMatchObject([{ id: 'm', owned_by: 'p', ...listed }]);
    expect(modelRow(viewsOf(catalog), 'bravo/m')).toMatchObject(listed);
  });

  test('say nothing of what they leave out, nor of another model', () => {
    const { rows } = mesh([{ id: 'm', description: 'quick' }], {
      cards: [card({ contextWindow: 5 }), card({ id: 'n', description: 'other' })],
    });
    expect(rows()).toMatchObject([
      { id: 'm', description: 'quick', context_window: 5 },
      { id: 'n', description: 'other' },
    ]);
  });

  test('with its provider go before those without, in whatever order they are written', () => {
    const entries = [
      { id: 'm', description: 'any' },
      { id: 'm', provider: 'p', description: 'this' },
    ];
    for (const order of [entries, entries.toReversed()])
      expect(mesh(order).rows()).toMatchObject([{ description: 'this' }]);
  });

  test('for a model that nobody has neither list it nor hide another', () => {
    expect(mesh([{ id: 'nobody', description: 'x' }]).rows()).toMatchObject([{ id: 'm' }]);
  });
});

test.each<[string, readonly ProxyModel[], string | undefined]>([
  ['nothing where nobody asks for it', [{ id: 'm', description: 'quick' }], undefined],
  ['the description that is written here', [{ id: 'm', description: 'quick', tell: true }], '[Model: quick]'],
  ["the card's where none is written", [{ id: 'm', tell: true }], '[Model: of the card]'],
  ['nothing of another provider', [{ id: 'm', provider: 'q', tell: true }], undefined],
])('a model is told %s', (_, entries, note) => {
  expect(new ProxyModels(entries).noteFor(card({ description: 'of the card' }))).toBe(note);
});

test('a model without any description is told nothing', () => {
  expect(new ProxyModels([{ id: 'm', tell: true }]).noteFor(card())).toBeUndefined();
});
