/** What is measured: one way from the load generator to the mock. */

/** In the order in which they are shown. */
export const TARGETS = ['direct', 'pipe1', 'pipe2', 'one', 'two', 'portkey'] as const;
export type TargetName = (typeof TARGETS)[number];

export const TITLES: Readonly<Record<TargetName, string>> = {
  direct: 'the mock, direct',
  pipe1: '`node:http` pipe, one hop',
  pipe2: '`node:http` pipe, two hops',
  one: 'ClawMatrix, one daemon',
  two: 'ClawMatrix, two daemons',
  portkey: 'Portkey gateway, one hop',
};

/** What a target is held against: plain Node doing nothing but to pass the bytes over as many hops. */
export const YARDSTICK: Readonly<Record<TargetName, TargetName>> = {
  direct: 'direct',
  pipe1: 'pipe1',
  pipe2: 'pipe2',
  one: 'pipe1',
  two: 'pipe2',
  portkey: 'pipe1',
};

export interface Target {
  readonly name: TargetName;
  readonly port: number;
  /** The processes between load generator and mock, by what they are. */
  readonly processes: readonly { readonly role: string; readonly pid: number }[];
  readonly headers: Readonly<Record<string, string>>;
}
