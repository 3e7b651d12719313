/** Resident memory with many open streams, in processes that have done nothing else; and whether their chunks came late. */
import { startRig } from './rig.ts';
import type { Target, TargetName } from './target.ts';
import { residentMb } from './usage.ts';

export interface MemoryRow {
  readonly target: TargetName;
  readonly role: string;
  readonly idleMb: number;
  /** By the number of open streams. */
  readonly mb: Readonly<Record<number, number>>;
  /** Chunks that came more than 100 ms after they were sent, and chunks that came at all. */
  readonly late: Readonly<Record<number, { readonly late: number; readonly chunks: number }>>;
}

export const MEMORY = 'memory';
export const OPEN_STREAMS = [1_000, 2_000] as const;
/** One each 100 ms, for longer than they are looked at. */
const MODEL = 'paced-100-600';
const MEASURED: readonly TargetName[] = ['pipe2', 'two'];

export async function measureMemory(holdMs: number): Promise<MemoryRow[]> {
  await using rig = await startRig();
  const rows: MemoryRow[] = [];
  for (const target of rig.targets.filter(({ name }) => MEASURED.includes(name))) {
    process.stderr.write(`memory: ${target.name}\n`);
    const idle = await resident(target);
    const open = new Map<number, Held>();
    for (const streams of OPEN_STREAMS) open.set(streams, await hold(rig, target, streams, holdMs));
    const at = <T>(of: (held: Held) => T) =>
      Object.fromEntries([...open].map(([streams, held]) => [streams, of(held)]));
    for (const [index, { role }] of target.processes.entries()) {
      rows.push({
        target: target.name,
        role,
        idleMb: idle[index] ?? Number.NaN,
        mb: at(({ mb }) => mb[index] ?? Number.NaN),
        late: at(({ late, chunks }) => ({ late, chunks })),
      });
    }
  }
  return rows;
}

interface Held {
  readonly mb: readonly number[];
  readonly late: number;
  readonly chunks: number;
}

async function hold(
  rig: Awaited<ReturnType<typeof startRig>>,
  target: Target,
  streams: number,
  ms: number,
): Promise<Held> {
  const { port, headers } = target;
  const job = { port, headers, path: '/v1/chat/completions', model: MODEL, stream: true, paced: true };
  let peak: readonly number[] = [];
  const look = async () => {
    const now = await resident(target);
    peak = now.map((mb, index) => Math.max(mb, peak[index] ?? 0));
  };
  let timer: NodeJS.Timeout | undefined;
  const running = rig.load.run(
    { ...job, inFlight: streams, warmMs: ms, ms },
    {
      onMeasuring: () => {
        timer = setInterval(() => void look(), LOOK_EVERY_MS);
      },
    },
  );
  const { late, chunks, errors } = await running.finally(() => clearInterval(timer));
  await look();
  if (errors > 0) throw new Error(`${errors} of ${streams} open streams of ${target.name} broke`);
  return { mb: peak, late, chunks };
}

const LOOK_EVERY_MS = 200;

function resident(target: Target): Promise<number[]> {
  return Promise.all(target.processes.map(({ pid }) => residentMb(pid)));
}
