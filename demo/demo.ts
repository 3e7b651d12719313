/** The first run: two daemons, a model server behind the second, and one streamed call through the first. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DemoNode } from './node.ts';
import { startUpstream } from './upstream.ts';

const MODEL = 'demo-model';
const QUESTION = 'Where were you written?';
const JOIN_MS = 10_000;

const say = (text = '') => void process.stdout.write(`${text}\n`);

/** Until the first node knows the second one's model. */
async function joined(proxy: string): Promise<void> {
  const deadline = performance.now() + JOIN_MS;
  while (performance.now() < deadline) {
    const list = await (await fetch(`${proxy}/models`)).text();
    if (list.includes(MODEL)) return;
    await sleep(50);
  }
  throw new Error(`${MODEL} did not turn up at ${proxy}/models within ${JOIN_MS / 1000} s`);
}

/** Sends the streamed call and prints each piece as it comes; returns the route header. */
async function chat(proxy: string): Promise<string> {
  const body = { model: MODEL, stream: true, messages: [{ role: 'user', content: QUESTION }] };
  const reply = await fetch(`${proxy}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!reply.ok || reply.body === null) throw new Error(`HTTP ${reply.status}: ${await reply.text()}`);
  let text = '';
  for await (const chunk of reply.body) text = print(text + Buffer.from(chunk).toString('utf8'));
  say();
  return reply.headers.get('x-clawmatrix-route') ?? 'no route header';
}

/** Prints the answer's words in whole events; returns what is left of the last one. */
function print(text: string): string {
  const events = text.split('\n\n');
  const rest = events.pop() ?? '';
  for (const event of events) {
    if (!event.startsWith('data: {')) continue;
    const { choices, error } = JSON.parse(event.slice('data: '.length));
    if (error) throw new Error(error.message);
    process.stdout.write(choices[0]?.delta?.content ?? '');
  }
  return rest;
}

async function run(folder: string, keep: boolean): Promise<void> {
  const upstream = await startUpstream(MODEL);
  const alpha = new DemoNode('alpha', folder);
  const bravo = new DemoNode('bravo', folder);
  try {
    say('Two machines on one: each daemon is a process of its own, with a home of its own.');
    await bravo.init();
    await alpha.init(bravo);
    const behind = await bravo.start({
      nodeId: 'bravo',
      listen: { host: '127.0.0.1', port: 0 },
      proxy: { port: 0 },
      models: [{ id: MODEL, provider: 'demo', baseUrl: upstream.baseUrl }],
    });
    const front = await alpha.start({ nodeId: 'alpha', peers: [behind.mesh], proxy: { port: 0 } });
    await joined(front.proxy);
    say(`  alpha  pid ${alpha.pid}  proxy ${front.proxy}  (owns no model)`);
    say(`  bravo  pid ${bravo.pid}  mesh  ${behind.mesh}  (owns ${MODEL})`);
    say();
    say('The same call with curl:');
    say(`  curl -N ${front.proxy}/chat/completions -H 'content-type: application/json' \\`);
    const message = `{"role":"user","content":"${QUESTION}"}`;
    say(`    -d '{"model":"${MODEL}","stream":true,"messages":[${message}]}'`);
    say();
    process.stdout.write(`${MODEL}: `);
    const route = await chat(front.proxy);
    say();
    say(`route: ${route}`);
    say(`requests that the model server behind bravo counted: ${upstream.requests()}`);
    if (keep) {
      say();
      say(`Both daemons stay up (homes in ${folder}); Ctrl-C ends them.`);
      await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
    }
  } finally {
    const codes = [await alpha.stop(), await bravo.stop()];
    await upstream.close();
    say(`stopped: alpha and bravo ended with ${codes.join(' and ')}`);
    if (codes.some((code) => code !== 0)) process.exitCode = 1;
  }
}

const folder = await mkdtemp(join(tmpdir(), 'clawmatrix-demo-'));
try {
  await run(folder, process.argv.includes('--keep'));
} finally {
  await rm(folder, { recursive: true, force: true });
}
