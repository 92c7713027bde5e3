import { type Gap, gapKey } from '../../market/gap.js';
import { InsertionOrderMap } from '../../primitives/insertionOrderMap.js';
import type { RepairMemory } from './repairSettings.js';
import type { Span } from './spans.js';

/** A gap that waits for its repair, or is under repair. */
export interface Job {
  readonly key: string;
  readonly line: Line;
  /** Its place in the order in which gaps became known. */
  readonly ordinal: number;
  gap: Gap;
  /** How often it was tried. */
  attempts: number;
  /** How often an answer came, and proved nothing. */
  vain: number;
  /** Not before, in epoch milliseconds; `-Infinity` for at once. */
  dueAt: number;
  isRunning: boolean;
  /** What its repair remembers between two attempts. */
  readonly memory: RepairMemory;
  /** It has passed live, rather than come out of the store. */
  readonly isLive: boolean;
}

/** The gaps of one series. */
export interface Line {
  readonly series: string;
  readonly jobs: Job[];
  /** What is proven of the series while it has gaps: a repair adds to it. */
  readonly proven: Span[];
  isBusy: boolean;
}

export interface RepairQueueConfig {
  /** How many gaps may be under repair at once. */
  readonly maxConcurrent: number;
  /** How many gaps are remembered. */
  readonly maxGaps: number;
}

/** How many gaps are known to be done with. */
const MAX_DONE = 100_000;

/**
 * Which gap is repaired next: in the order in which they became known, one of a series at a time, so that gaps that overlap are asked once.
 * Each gap is known once, and one that is done with does not come back.
 */
export class RepairQueue {
  readonly #config: RepairQueueConfig;
  /** By key, in the order in which they became known. */
  readonly #jobs = new Map<string, Job>();
  /** The same by series: an event of one that is under repair costs no look at all the others. */
  readonly #lines = new Map<string, Line>();
  readonly #done = new InsertionOrderMap<string, true>();
  #running = 0;
  #ordinal = 0;

  constructor(config: RepairQueueConfig) {
    this.#config = config;
  }

  get running(): number {
    return this.#running;
  }

  /** Gaps that wait for their first attempt, or for the next one. */
  get waiting(): number {
    return this.#jobs.size - this.#running;
  }

  /** Takes a gap that is new. False if there is no room for it. */
  add(gap: Gap, dueAt = Number.NEGATIVE_INFINITY, isLive = false): boolean {
    const key = gapKey(gap);
    if (this.#jobs.has(key) || this.#done.has(key)) return true;
    if (this.#jobs.size >= this.#config.maxGaps) return false;
    const { vendor, symbol, of, timeframe } = gap;
    const series = [vendor, symbol, of, timeframe ?? ''].join('\u0000');
    const line = this.#lines.get(series) ?? { series, jobs: [], proven: [], isBusy: false };
    this.#lines.set(series, line);
    const ordinal = ++this.#ordinal;
    const job: Job = {
      ...{ key, line, ordinal, gap, isLive },
      attempts: 0,
      vain: 0,
      dueAt,
      memory: { proven: line.proven },
      isRunning: false,
    };
    line.jobs.push(job);
    this.#jobs.set(key, job);
    return true;
  }

  /** The job of a gap, where it is known. */
  find(gap: Gap): Job | undefined {
    return this.#jobs.get(gapKey(gap));
  }

  /** The next gap to repair; it is under repair from now on. */
  take(now: number): Job | undefined {
    if (this.#running >= this.#config.maxConcurrent || this.waiting === 0) return undefined;
    let first: Job | undefined;
    for (const { jobs, isBusy } of this.#lines.values()) {
      if (isBusy) continue;
      const job = jobs.find(({ dueAt }) => dueAt <= now);
      if (job && (first === undefined || job.ordinal < first.ordinal)) first = job;
    }
    if (!first) return undefined;
    first.isRunning = true;
    first.line.isBusy = true;
    first.attempts += 1;
    this.#running += 1;
    return first;
  }

  /** It is tried again later. */
  retry(job: Job, dueAt: number): void {
    this.#rest(job);
    job.dueAt = dueAt;
  }

  /** It does not come back. */
  finish(job: Job): void {
    this.#remove(job);
    if (this.#done.size >= MAX_DONE) this.#done.delete(this.#done.oldest()![0]);
    this.#done.put(job.key, true);
  }

  /** Forgets what waits for another attempt. */
  forgetRetries(): void {
    for (const job of [...this.#jobs.values()]) if (!job.isRunning && job.attempts > 0) this.#remove(job);
  }

  /** What was never tried, and would be tried later than this, is due now. */
  hurry(latest: number, now: number): void {
    for (const job of this.#jobs.values()) if (job.dueAt > latest) job.dueAt = now;
  }

  /** When the next gap is due that waits for its time; `undefined` if none does. */
  dueAt(now: number): number | undefined {
    let due: number | undefined;
    for (const { isRunning, dueAt } of this.#jobs.values()) {
      if (!isRunning && dueAt > now && (due === undefined || dueAt < due)) due = dueAt;
    }
    return due;
  }

  #rest(job: Job): void {
    if (!job.isRunning) return;
    job.isRunning = false;
    job.line.isBusy = false;
    this.#running -= 1;
  }

  #remove(job: Job): void {
    if (!this.#jobs.delete(job.key)) return;
    this.#rest(job);
    const { jobs } = job.line;
    jobs.splice(jobs.indexOf(job), 1);
    if (jobs.length > 0) return;
    this.#lines.delete(job.line.series);
  }
}
