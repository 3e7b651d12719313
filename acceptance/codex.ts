/** OpenAI's Codex, which speaks Responses only, in `codex exec`. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Script, says } from '../test/support/scripted-upstream.ts';
import { MODELS } from '../test/support/two-nodes.ts';
import { breaks, calls, callsShell, FINAL, saysSlowly } from './model.ts';
import { type Ended, runProgram } from './program.ts';
import { check, checkEnded, checkToolResult, type Scenario, SHELL_COMMAND, type Stage } from './scenario.ts';

type Upstream = keyof typeof MODELS;

interface Options {
  readonly model: string;
  readonly webSocket?: boolean;
  /** It gives up after so long without an event that it can parse. */
  readonly idleMs?: number;
}

const KEY = 'CLAW_KEY';

async function codex(stage: Stage, script: Script, options: Options): Promise<Ended> {
  stage.nodes.upstream.always(script);
  const home = join(stage.folder, 'codex');
  await mkdir(home, { recursive: true });
  await writeFile(join(home, 'config.toml'), config(stage, options));
  const args = ['exec', '--json', '--skip-git-repo-check', '--sandbox', 'danger-full-access', 'Say it.'];
  return runProgram(stage.agents.codex, args, stage.folder, { CODEX_HOME: home, [KEY]: 'any' });
}

function config({ url }: Stage, { model, webSocket = false, idleMs = 60_000 }: Options): string {
  const toml = JSON.stringify;
  return `
model = ${toml(model)}
model_provider = "claw"
approval_policy = "never"
check_for_update_on_startup = false
model_reasoning_summary = "auto"
[analytics]
enabled = false
[model_providers.claw]
name = "claw"
base_url = ${toml(url)}
wire_api = "responses"
env_key = ${toml(KEY)}
request_max_retries = 0
stream_max_retries = 0
stream_idle_timeout_ms = ${idleMs}
supports_websockets = ${webSocket}
`;
}

function text(upstream: Upstream): Scenario {
  return {
    name: `codex-text-${upstream}`,
    async run(stage) {
      checkEnded(await codex(stage, says('All is ', 'well.'), { model: MODELS[upstream] }), FINAL);
      return 'the text came';
    },
  };
}

/** `script` calls its shell. */
function tool(name: string, options: Options, script = callsShell()): Scenario {
  return {
    name,
    async run(stage) {
      checkEnded(await codex(stage, script, options), FINAL);
      checkToolResult(stage.nodes.upstream.requests);
      const sent = stage.tap.sent().toString('latin1');
      const isSocket = /^upgrade: websocket\r$/im.test(sent);
      const isHttp = sent.includes('POST /v1/responses');
      const used = [...(isSocket ? ['WebSocket'] : []), ...(isHttp ? ['HTTP'] : [])].join(' and ');
      check(used === (options.webSocket ? 'WebSocket' : 'HTTP'), `it went over ${used}`);
      return `its shell ran, the output came back, over ${used}`;
    },
  };
}

function reasoning(upstream: Upstream): Scenario {
  return {
    name: `codex-reasoning-${upstream}`,
    async run(stage) {
      const ended = await codex(stage, callsShell(['I have ', 'to look.']), { model: MODELS[upstream] });
      checkEnded(ended, FINAL);
      check(ended.stdout.includes('I have to look.'), `it showed no reasoning:\n${ended.stdout}`);
      checkToolResult(stage.nodes.upstream.requests);
      const back = upstream === 'chat' ? '"reasoning_content":"I have to look."' : 'sealed-by-the-upstream';
      const last = stage.nodes.upstream.requests.at(-1)?.body.toString() ?? '';
      check(last.includes(back), `the upstream did not get its reasoning back: ${last.slice(-1_500)}`);
      return 'it was shown, and came back to the upstream with the output of the shell';
    },
  };
}

/** The names that Codex knows switch on tools that only OpenAI's own models have: this one is a text with a grammar. */
const patch: Scenario = {
  name: 'codex-gpt-5.5-patch-chat',
  async run(stage) {
    const input = '*** Begin Patch\n*** Add File: hello.txt\n+It rains.\n*** End Patch\n';
    const script = calls({ tool: /(^|_)apply_patch$/, argumentsFor: () => ({ input }) });
    checkEnded(await codex(stage, script, { model: 'gpt-5.5' }), FINAL);
    const written = await readFile(join(stage.folder, 'work', 'hello.txt'), 'utf8');
    check(written === 'It rains.\n', `the file has ${JSON.stringify(written)}`);
    return 'its patch tool wrote the file';
  },
};

/** This one has a tool of scripts, in a namespace, out of which all others are called. */
const orchestrated = calls({
  tool: /(^|_)exec$/,
  argumentsFor: () => ({ input: `text(await tools.exec_command({ cmd: '${SHELL_COMMAND}' }))` }),
});

/** Longer than Codex waits here, and longer than the 15 s in which a client has to hear something. */
const SILENT_MS = 32_000;

function slow(upstream: Upstream): Scenario {
  return {
    name: `codex-silence-${upstream}`,
    async run(stage) {
      const ended = await codex(stage, saysSlowly(SILENT_MS), { model: MODELS[upstream], idleMs: 20_000 });
      checkEnded(ended, FINAL);
      return 'it gives up after 20 s without an event, and waited twice for 32 s';
    },
  };
}

function broken(upstream: Upstream): Scenario {
  return {
    name: `codex-broken-${upstream}`,
    async run(stage) {
      const ended = await codex(stage, breaks('out of memory'), { model: MODELS[upstream] });
      check(ended.code !== 0 && ended.code !== null, `it ended with ${ended.code}:\n${ended.stdout}`);
      check(ended.stdout.includes('out of memory'), `it did not say why:\n${ended.stdout}`);
      return 'an error in mid-stream is an error, in the words of the upstream';
    },
  };
}

export const codexScenarios: readonly Scenario[] = [
  text('chat'),
  text('responses'),
  tool('codex-tool-chat', { model: MODELS.chat }),
  tool('codex-tool-responses', { model: MODELS.responses }),
  reasoning('chat'),
  reasoning('responses'),
  broken('chat'),
  broken('responses'),
  tool('codex-websocket-chat', { model: MODELS.chat, webSocket: true }),
  tool('codex-websocket-responses', { model: MODELS.responses, webSocket: true }),
  tool('codex-gpt-5.5-chat', { model: 'gpt-5.5' }),
  patch,
  tool('codex-gpt-6-astra-chat', { model: 'gpt-6-astra' }, orchestrated),
  tool('codex-gpt-6-astra-websocket-chat', { model: 'gpt-6-astra', webSocket: true }, orchestrated),
  slow('chat'),
  slow('responses'),
];
