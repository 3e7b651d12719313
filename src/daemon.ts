/** The only wiring: everyone else is handed what they need here. Starts in order, stops in reverse. */
import { randomBytes, randomInt } from 'node:crypto';
import type { Loaded } from './config/load.ts';
import { type ControlHandlers, startControl } from './control/server.ts';
import type { Answer } from './core/call.ts';
import { newCallId, randomId } from './core/ids.ts';
import { CALLS_MAX, DRAIN_MS, PROCESS_BUFFER_BYTES_MAX } from './core/limits.ts';
import { version } from './core/version.ts';
import type { ModelView, PeerView, StatusView } from './core/views.ts';
import { shapes } from './dialect/dialects.ts';
import { isPrelude } from './dialect/early-failure.ts';
import type { DialectTools } from './dialect/shape.ts';
import { telling } from './dialect/telling.ts';
import { translate } from './dialect/translate.ts';
import { ResponseMemory } from './history/response-memory.ts';
import { startEdge } from './http/server.ts';
import { Budget } from './lib/budget.ts';
import { type Clock, SystemClock } from './lib/clock.ts';
import { urlHost } from './lib/host.ts';
import { createLog, type Log, StandardError } from './lib/log.ts';
import { dialSocket, listenSockets } from './lib/socket.ts';
import { Identity } from './mesh/identity.ts';
import { Mesh } from './mesh/mesh.ts';
import { Catalog, catalogNode } from './routing/catalog.ts';
import { viewsOf } from './routing/model-view.ts';
import { ProxyModels } from './routing/proxy-models.ts';
import { Router } from './routing/router.ts';
import { logged } from './upstream/logged.ts';
import { OwnModels } from './upstream/own-models.ts';

/** For who asks a server without a daemon: which of them speaks what is wired here. */
export { type ModelsQuestion, modelsQuestion } from './upstream/models-question.ts';

export interface Daemon {
  status(): StatusView;
  peers(): readonly PeerView[];
  models(): readonly ModelView[];
  /** `http://127.0.0.1:19701`. */
  readonly proxyUrl: string;
  /** `ws://0.0.0.0:19700`, or null where this node only dials. */
  readonly listenUrl: string | null;
  /** Stops in order; again, it waits for the same stop. */
  stop(): Promise<void>;
  /** Resolves when the daemon has stopped, whoever asked for it. */
  readonly stopped: Promise<void>;
}

/** Who holds the daemon, and is asked when the command line wants it to stop or to start anew. */
export type DaemonHost = Pick<ControlHandlers, 'stop' | 'restart'>;

export async function startDaemon(
  loaded: Loaded,
  host: DaemonHost,
  clock: Clock = new SystemClock(),
): Promise<Daemon> {
  const daemon = new Wiring(loaded, clock, host);
  try {
    await daemon.start();
  } catch (error) {
    await daemon.stop();
    throw error;
  }
  return daemon;
}

class Wiring implements Daemon {
  readonly #loaded: Loaded;
  readonly #host: DaemonHost;
  readonly #clock: Clock;
  readonly #standardError: StandardError;
  readonly #log: Log;
  readonly #startedAt: number;
  readonly #identity: Identity;
  readonly #catalog: Catalog;
  readonly #own: OwnModels;
  readonly #mesh: Mesh;
  readonly #router: Router;
  readonly #memory: ResponseMemory;
  /** For what clients ask at this node's proxy. */
  readonly #answer: Answer;
  readonly #buffers = new Budget(PROCESS_BUFFER_BYTES_MAX);
  /** What was opened, in the order of opening. */
  readonly #opened: (() => Promise<void>)[] = [];
  #proxyUrl = '';
  #stopping: Promise<void> | undefined;
  #settleStopped: () => void = () => {};
  readonly stopped = new Promise<void>((resolve) => {
    this.#settleStopped = resolve;
  });

  constructor(loaded: Loaded, clock: Clock, host: DaemonHost) {
    const { name, listen, peers, offer, bootEpoch, networkKey, secrets, logLevel: level } = loaded;
    this.#loaded = loaded;
    this.#host = host;
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#standardError = new StandardError(clock);
    this.#log = createLog({ clock, level, secrets, write: this.#standardError.write });
    this.#identity = new Identity(loaded.identity);
    this.#catalog = new Catalog(new ProxyModels(loaded.config.proxyModels));
    const { responses } = loaded.config;
    const tools = dialectTools(loaded.config, clock, this.#log);
    this.#memory = new ResponseMemory(
      { ...responses, path: loaded.responsesPath },
      { clock, log: this.#log, targets: (model) => this.#router.live(model) },
    );
    const ask: Answer = (call, signal) => this.#router.answer(call, signal);
    this.#answer = this.#memory.answering(ask, { ...tools, newId: () => newCallId() });
    this.#own = new OwnModels(offer, {
      nodeName: name,
      clock,
      tools,
      log: this.#log,
      silenceMs: loaded.config.timeouts.upstreamMs,
      proxyPort: loaded.proxy.port,
      onChange: () => this.#ownChanged(),
    });
    this.#mesh = new Mesh(
      {
        clock,
        log: this.#log,
        identity: this.#identity,
        networkKey,
        randomBytes,
        chance: () => randomInt(2 ** 32) / 2 ** 32,
        dial: dialSocket,
        listen: listenSockets,
        answer: logged(this.#own.answerShared, { clock, log: this.#log }),
        buffers: this.#buffers,
        slots: new Budget(CALLS_MAX),
        onChange: () => this.#meshChanged(),
      },
      { name, version: version(), bootEpoch, listen, peers, cards: this.#own.announced },
    );
    this.#router = new Router({
      catalog: this.#catalog,
      clock,
      entry: name,
      translate: (answer, from, card) =>
        telling(translate(answer, from, card, tools), from, this.#catalog.words.noteFor(card)),
      isPrelude: (events, dialect) => isPrelude(events, shapes[dialect]),
    });
  }

  get proxyUrl(): string {
    return this.#proxyUrl;
  }

  get listenUrl(): string | null {
    const { listen } = this.#loaded;
    if (listen === null) return null;
    return `ws://${urlHost(listen.host)}:${this.#mesh.port ?? listen.port}`;
  }

  /** The control socket first: it keeps a second daemon off the same state before anything else is touched. */
  async start(): Promise<void> {
    const { controlPath, proxy } = this.#loaded;
    // What a turn has logged is not lost when the process ends inside it.
    process.once('exit', this.#standardError.flush);
    this.#opened.push(async () => void process.off('exit', this.#standardError.flush));
    this.#meshChanged();
    const handlers = {
      status: () => this.status(),
      peers: () => this.peers(),
      models: () => this.models(),
      stop: () => this.#host.stop(),
      restart: () => this.#host.restart(),
    };
    const control = await startControl({ path: controlPath, clock: this.#clock, handlers });
    this.#opened.push(() => control.close());
    this.#opened.push(() => this.#own.close());
    await this.#own.start();
    this.#opened.push(() => this.#mesh.close());
    await this.#mesh.start().catch((error: unknown) => this.#cannotListen(error));
    this.#opened.push(() => this.#memory.close());
    await this.#memory.start();
    const edge = await startEdge(
      {
        answer: this.#answer,
        history: this.#memory.history,
        origin: this.#identity.id,
        nodeName: this.#loaded.name,
        clock: this.#clock,
        log: this.#log,
        budget: this.#buffers,
        ...this.#loaded.config.timeouts,
        models: () => this.models(),
        status: () => this.status(),
      },
      proxy,
    );
    // Both have running calls: what clients here asked for, and what this node answers for others.
    this.#opened.push(
      async () => void (await Promise.all([edge.close(DRAIN_MS), this.#mesh.drain(DRAIN_MS)])),
    );
    this.#proxyUrl = edge.url;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  status(): StatusView {
    const { name, bootEpoch, warnings } = this.#loaded;
    const peers = this.peers();
    const models = this.models();
    const local = models.filter((model) => model.local).length;
    return {
      id: this.#identity.id,
      name,
      version: version(),
      pid: process.pid,
      bootEpoch,
      uptimeSeconds: Math.floor((this.#clock.now() - this.#startedAt) / 1_000),
      proxy: this.#proxyUrl,
      listen: this.listenUrl,
      peers: {
        direct: peers.filter(({ status }) => status === 'direct').length,
        down: peers.filter(({ status }) => status === 'down').length,
      },
      models: { local, remote: models.length - local },
      calls: { entry: this.#router.openCalls, owner: this.#mesh.openCalls.owner },
      warnings,
    };
  }

  peers(): readonly PeerView[] {
    return this.#mesh.views();
  }

  models(): readonly ModelView[] {
    return viewsOf(this.#catalog);
  }

  async #stop(): Promise<void> {
    for (const close of this.#opened.splice(0).reverse()) await close();
    if (this.#proxyUrl !== '') this.#log.info('stopped');
    this.#standardError.flush();
    this.#settleStopped();
  }

  #cannotListen(error: unknown): never {
    const reason = error instanceof Error ? error.message : String(error);
    const text = `the mesh cannot listen on ${this.listenUrl}: ${reason}; set listen.host and listen.port`;
    throw new Error(text, { cause: error });
  }

  /** A model server of this node has come, gone or changed. */
  #ownChanged(): void {
    this.#mesh.announce(this.#own.announced);
    this.#meshChanged();
  }

  /** What the mesh knows, as the catalog keeps it. */
  #meshChanged(): void {
    const { name } = this.#loaded;
    const here = { id: this.#identity.id, name, live: true, place: 'local' } as const;
    const own = catalogNode(here, this.#own.cards, () => this.#own.answer);
    const others = this.#mesh.remotes.map(({ id, name, live, cards, exchange }) =>
      catalogNode({ id, name, live, place: 'remote' }, cards, (card) => exchange.answer(card)),
    );
    this.#catalog.replace([own, ...others]);
  }
}

function dialectTools({ limits, responses }: Loaded['config'], clock: Clock, log: Log): DialectTools {
  return {
    wall: () => clock.wall(),
    randomId,
    eventBytesMax: limits.sseEventBytesMax,
    storesNothing: responses.keep === 'none',
    note: (lost, call) => log.info({ call, lost }, 'lost in translation'),
  };
}
