import { firstValueFrom, race, type SchedulerLike, Subject, timer } from 'rxjs';

/** The first wait after a failure, and the longest, in milliseconds. */
const FIRST_MS = 100;
const MAX_MS = 5_000;

/** The disk accepts no data. */
export interface Hold {
  readonly error: unknown;
  /** When that began, by the clock of the scheduler. */
  readonly since: number;
}

export interface GroupCommitConfig<W> {
  /**
   * Makes work durable, and calls `done` for each piece that is. When it throws, the pieces that are left are tried again,
   * without limit.
   */
  readonly commit: (group: readonly W[], done: (piece: W) => void) => Promise<void>;
  readonly scheduler: SchedulerLike;
  /** Called at each failed attempt. */
  readonly onHold: () => void;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Commits pieces of work in groups, one group after the other: what arrives while one is in flight shares the next. Waits
 * while a disk is full or unreachable.
 */
export class GroupCommit<W> {
  readonly #config: GroupCommitConfig<W>;
  /** In order of arrival; the first ones may be in flight. */
  readonly #waiting = new Map<W, Waiting>();
  #isRunning = false;
  #hold: Hold | undefined;
  readonly #ended = new Subject<never>();
  #end: { readonly error: unknown } | undefined;

  constructor(config: GroupCommitConfig<W>) {
    this.#config = config;
  }

  /** Set while the disk accepts no data. */
  get hold(): Hold | undefined {
    return this.#hold;
  }

  /** What is not durable yet. */
  get waiting(): Iterable<W> {
    return this.#waiting.keys();
  }

  /** Resolves when the piece is durable. */
  push(piece: W): Promise<void> {
    if (this.#end) return Promise.reject(this.#end.error);
    return new Promise((resolve, reject) => {
      this.#waiting.set(piece, { resolve, reject });
      if (!this.#isRunning) void this.#run();
    });
  }

  /** Fails what waits, and accepts no more. A commit in flight may still succeed. */
  end(error: unknown): void {
    this.#end ??= { error };
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#ended.complete();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    let delayMs = FIRST_MS;
    // What is pushed in the same microtask turn shares the first group.
    await Promise.resolve();
    while (this.#waiting.size > 0) {
      try {
        await this.#config.commit([...this.#waiting.keys()], (piece) => this.#done(piece));
        this.#hold = undefined;
        delayMs = FIRST_MS;
      } catch (error) {
        if (this.#waiting.size === 0) break;
        this.#hold = { error, since: this.#hold?.since ?? this.#config.scheduler.now() };
        this.#config.onHold();
        const delay$ = timer(delayMs, this.#config.scheduler);
        await firstValueFrom(race(delay$, this.#ended), { defaultValue: undefined });
        delayMs = Math.min(MAX_MS, delayMs * 2);
      }
    }
    this.#hold = undefined;
    this.#isRunning = false;
  }

  #done(piece: W): void {
    const waiting = this.#waiting.get(piece);
    this.#waiting.delete(piece);
    // Whoever sees the last piece durable sees no hold.
    if (this.#waiting.size === 0) this.#hold = undefined;
    waiting?.resolve();
  }
}
