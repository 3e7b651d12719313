/** The daemons of the benchmark: one alone, and an entry and an owner that are joined. Configured as people would. */
import { DemoNode } from '../demo/node.ts';

export interface Addresses {
  readonly proxy: string;
  readonly mesh: string;
}

const MODELS = ['small', 'burst-200', 'paced-20-500', 'paced-100-600'];
/** The same from an upstream that speaks Responses only. */
export const onResponses = (model: string) => `${model}-r`;

/** An owner of all that the mock can do. */
function ownerOf(mockPort: number): object {
  const baseUrl = `http://127.0.0.1:${mockPort}/v1`;
  return {
    proxy: { port: 0 },
    providers: {
      mock: { baseUrl, api: 'openai-completions' },
      mockr: { baseUrl, api: 'openai-responses' },
    },
    models: MODELS.flatMap((id) => [
      { id, provider: 'mock' },
      { id: onResponses(id), provider: 'mockr' },
    ]),
  };
}

export class Nodes {
  readonly entry: DemoNode;
  readonly owner: DemoNode;
  readonly solo: DemoNode;

  constructor(folder: string, nodeArgs: (name: string) => readonly string[] = () => []) {
    const make = (name: string) => new DemoNode(name, folder, nodeArgs(name));
    this.entry = make('entry');
    this.owner = make('owner');
    this.solo = make('solo');
  }

  async init(): Promise<void> {
    await this.owner.init();
    await this.entry.init(this.owner);
    await this.solo.init();
  }

  startOwner(mockPort: number): Promise<Addresses> {
    return this.owner.start({
      ...ownerOf(mockPort),
      nodeId: 'owner',
      listen: { host: '127.0.0.1', port: 0 },
    });
  }

  startEntry(owner: Addresses): Promise<Addresses> {
    return this.entry.start({ nodeId: 'entry', proxy: { port: 0 }, peers: [owner.mesh] });
  }

  startSolo(mockPort: number): Promise<Addresses> {
    return this.solo.start({ ...ownerOf(mockPort), nodeId: 'solo' });
  }

  async stop(): Promise<void> {
    for (const node of [this.entry, this.owner, this.solo]) await node.stop();
  }
}

const ANSWER_MS = 15_000;
const TRY_EVERY_MS = 5;

/** Resolves once a call through that proxy is answered. */
export async function answered(proxy: string): Promise<void> {
  const deadline = performance.now() + ANSWER_MS;
  for (;;) {
    const reply = await fetch(`${proxy}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'small', messages: [{ role: 'user', content: 'hi' }] }),
    });
    const text = await reply.text();
    if (reply.ok) return;
    if (performance.now() > deadline) throw new Error(`no answer from ${proxy}: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS));
  }
}
