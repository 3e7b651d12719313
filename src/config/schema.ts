/** The configuration's keys: what each means, what it may hold, and what it is when it is left out. */
import { z } from 'zod';
import { ProviderName } from '../core/card.ts';
import {
  API_KEY_CHARS_MIN,
  CONFIGURED_WAIT_MS_MAX,
  HOLD_MS,
  JSON_REPLY_BYTES_MAX,
  NEIGHBOURS_PER_NODE_MAX,
  RESPONSES_BYTES_MAX,
  RESPONSES_BYTES_MAX_MAX,
  RESPONSES_KEEP_MS,
  RESPONSES_KEEP_MS_MAX,
  SSE_EVENT_BYTES_MAX,
  UPSTREAM_SILENCE_MS,
} from '../core/limits.ts';
import { isLoopback } from '../lib/host.ts';
import {
  addressField,
  agentField,
  aList,
  allowedHostField,
  anObject,
  baseUrlField,
  hostField,
  keyField,
  networkKeyField,
  nodeIdField,
  nodeNameField,
  originField,
  peerUrlField,
  portField,
  strict,
} from './fields.ts';
import { models, provider, proxyModel, upstreamMs } from './model-schema.ts';
import type { ReadSecret } from './secrets.ts';

const LISTEN_PORT = 19_700;
const PROXY_PORT = 19_701;

export type Config = z.output<ReturnType<typeof configSchema>>;
export type ProviderConfig = Config['providers'][string];
export type ModelConfig = Config['models'][number];

/** The secrets are read while the file is checked, so that a missing one is in the same list as every other fault. */
export function configSchema(read: ReadSecret) {
  return strict({
    nodeId: nodeNameField.optional().describe("This node's name. Default: the host's name."),
    secret: networkKeyField(read)
      .optional()
      .describe(
        'The network key, the same on every node of the mesh. Default: mesh.key in the state directory.',
      ),
    listen: listen().optional().describe('Where other nodes reach this one. Left out: this node only dials.'),
    peers: peers().default([]).describe('Nodes that this one dials.'),
    proxy: proxy(read).prefault({}).describe('The local HTTP server that clients call.'),
    providers: z
      .record(ProviderName, provider(read))
      .default({})
      .describe('Servers that run models, by the name that models refer to them.'),
    models: models(read).default([]).describe('The models that this node owns.'),
    proxyModels: z
      .array(proxyModel())
      .default([])
      .describe('Says more of a model in the list, or pins it to a node. Never limits the list.'),
    openclaw: openclaw(read)
      .optional()
      .describe('OpenClaw: what its configuration says of providers, and its gateway as the last resort.'),
    timeouts: timeouts().prefault({}).describe('How long this node waits.'),
    limits: strict({
      sseEventBytesMax: z
        .int()
        .min(1_024)
        .max(JSON_REPLY_BYTES_MAX)
        .default(SSE_EVENT_BYTES_MAX)
        .describe('The longest event or line of a stream, in bytes. A longer one ends the call.'),
    })
      .prefault({})
      .describe('How much this node takes.'),
    responses: responses()
      .prefault({})
      .describe(
        'What this node remembers of Responses calls, so that clients can go on from them (previous_response_id, item_reference, GET /v1/responses/{id}).',
      ),
    log: strict({
      level: z
        .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
        .default('info')
        .describe('What is worth a line.'),
    })
      .prefault({})
      .describe('One JSON line for each event, on standard error.'),
  });
}

function timeouts() {
  return strict({
    upstreamMs: upstreamMs.default(UPSTREAM_SILENCE_MS),
    holdMs: z
      .int()
      .min(1)
      .max(CONFIGURED_WAIT_MS_MAX)
      .default(HOLD_MS)
      .describe(
        'Milliseconds that a stream call without a reply waits before it is answered with 200 and kept alive.',
      ),
    wholeKeepaliveMs: z
      .int()
      .min(1)
      .max(CONFIGURED_WAIT_MS_MAX)
      .optional()
      .describe(
        'Milliseconds after which a call without a stream is answered with 200, and kept alive by line breaks before its JSON. Many clients give up after 300 s without a byte. The price: what fails after that has no status of its own, its connection is cut. Left out: never.',
      ),
  });
}

function responses() {
  return strict({
    keep: z
      .enum(['memory', 'disk', 'none'])
      .default('memory')
      .describe(
        'Where: "memory" until the daemon ends; "disk" also in the state directory, where prompts and answers are then readable by you (files with mode 0600, not encrypted); "none" nowhere.',
      ),
    keepMs: z
      .int()
      .min(1_000)
      .max(RESPONSES_KEEP_MS_MAX)
      .default(RESPONSES_KEEP_MS)
      .describe('Milliseconds after its last use that a response is forgotten.'),
    bytesMax: z
      .int()
      .min(1_024)
      .max(RESPONSES_BYTES_MAX_MAX)
      .default(RESPONSES_BYTES_MAX)
      .describe('Bytes of requests and answers that are remembered; beyond them the least lately used go.'),
  });
}

function listen() {
  const address = strict({
    host: hostField.default('0.0.0.0').describe('The address of this machine that others reach it by.'),
    port: portField.default(LISTEN_PORT).describe('0 takes any free port.'),
  });
  return z.union([z.boolean(), address]).transform((written) => {
    if (written === false) return null;
    return written === true ? { host: '0.0.0.0', port: LISTEN_PORT } : written;
  });
}

function peers() {
  const peer = strict({
    url: peerUrlField.describe('Where it listens, as ws://hub.lan:19700.'),
    id: nodeIdField.optional().describe('The id that the node must prove; any other is refused.'),
  });
  const short = peerUrlField.transform((url): z.output<typeof peer> => ({ url }));
  return z
    .array(z.union([short, peer]))
    .max(NEIGHBOURS_PER_NODE_MAX)
    .superRefine(
      (list, context) => {
        const seen = new Set<string>();
        list.forEach((entry, index) => {
          // As written, be it right or not.
          // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition
          const url = entry?.url;
          if (typeof url === 'string' && seen.has(url))
            context.addIssue({ code: 'custom', path: [index], message: 'the same address twice' });
          seen.add(url);
        });
      },
      { when: aList },
    );
}

function proxy(read: ReadSecret) {
  return strict({
    host: hostField.default('127.0.0.1').describe('Anything but a loopback address needs an apiKey.'),
    port: portField.default(PROXY_PORT).describe('0 takes any free port.'),
    apiKeys: z
      .array(keyField(read))
      .max(256)
      .default([])
      .describe('Keys that clients send as "Authorization: Bearer". None: no key is asked for.'),
    allowedHosts: z
      .array(allowedHostField)
      .max(256)
      .default([])
      .describe('Names for this server beyond the loopback ones.'),
    allowedOrigins: z
      .array(originField)
      .max(256)
      .default([])
      .describe('Web pages that may call, as "https://chat.example.net".'),
    trustedProxies: z
      .array(addressField)
      .max(256)
      .default([])
      .describe('Addresses of reverse proxies, whose X-Forwarded-Host and X-Forwarded-For count.'),
  }).superRefine(
    ({ host, apiKeys }, context) => {
      // A fault in either has been told already, and what is left of the value says nothing.
      if (context.issues.some((issue) => issue.path?.[0] === 'host' || issue.path?.[0] === 'apiKeys')) return;
      if (typeof host !== 'string' || !Array.isArray(apiKeys) || isLoopback(host)) return;
      if (apiKeys.length === 0)
        context.addIssue({ code: 'custom', path: ['host'], message: openProxy(host) });
      apiKeys.forEach((key, index) => {
        if (key.length >= API_KEY_CHARS_MIN) return;
        context.addIssue({
          code: 'custom',
          path: ['apiKeys', index],
          message: `too short for a proxy that others reach: ${KEY_ADVICE}`,
        });
      });
    },
    { when: anObject },
  );
}

const KEY_ADVICE = `a key needs ${API_KEY_CHARS_MIN} characters or more; "openssl rand -hex 32" makes one`;

function openProxy(host: string): string {
  return `a proxy on ${host} can be reached by others and has no "apiKeys": add one (${KEY_ADVICE}), or bind it to 127.0.0.1`;
}

function openclaw(read: ReadSecret) {
  return strict({
    config: z
      .string()
      .min(1)
      .optional()
      .describe(
        "OpenClaw's own configuration file, for models whose provider is described there. Default: where OpenClaw keeps it.",
      ),
    gateway: strict({
      url: baseUrlField
        .optional()
        .describe(
          "The gateway's address, with or without /v1. Default: this machine, at OpenClaw's own port.",
        ),
      token: keyField(read)
        .optional()
        .describe(
          "The gateway's token or password. Default, for a gateway on this machine: OPENCLAW_GATEWAY_TOKEN, or what OpenClaw's file says.",
        ),
      agent: agentField
        .prefault('openclaw/default')
        .describe('The agent that answers: its id, as "main", or a form of OpenClaw\'s own.'),
    })
      .optional()
      .describe("OpenClaw's gateway, which answers for models that have no other upstream."),
  });
}
