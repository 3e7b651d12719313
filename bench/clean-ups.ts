/** What has to be ended when a measurement is over, or interrupted: the daemons are in process groups of their own. */

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** As a shell tells of a process that ended by a signal. */
const INTERRUPTED_EXIT_CODE = 130;

export class CleanUps implements AsyncDisposable {
  readonly #steps: (() => Promise<unknown>)[] = [];
  #running: Promise<void> | undefined;
  readonly #interrupted = () => {
    void this.run().finally(() => process.exit(INTERRUPTED_EXIT_CODE));
  };

  constructor() {
    for (const signal of SIGNALS) process.once(signal, this.#interrupted);
  }

  /** The last that was added is the first to run. */
  add(step: () => Promise<unknown>): void {
    this.#steps.push(step);
  }

  /** Adds the end of something that can be stopped, and hands it back. */
  keep<T extends { stop(): Promise<unknown> }>(part: T): T {
    this.add(() => part.stop());
    return part;
  }

  /** Once, however many ask for it: what is interrupted fails, and its failure ends up here too. */
  run(): Promise<void> {
    return (this.#running ??= this.#runAll());
  }

  async #runAll(): Promise<void> {
    for (const step of this.#steps.reverse()) await step();
    for (const signal of SIGNALS) process.off(signal, this.#interrupted);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.run();
  }
}
