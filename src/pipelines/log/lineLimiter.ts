import { InsertionOrderMap } from '../../primitives/insertionOrderMap.js';

/** How many lines about one subject come as they happen; then the others are counted. */
const MAX_AT_ONCE = 3;

/** How long what follows is counted until the next line says how much it was; each time twice as long, up to the maximum. */
const COUNT_MS = 10_000;
const MAX_COUNT_MS = 5 * 60_000;

/** How many subjects are remembered. */
const MAX_SUBJECTS = 256;

interface Subject {
  told: number;
  /** Not told since the last line. */
  counted: number;
  last: string;
  lastAt: number;
  waitMs: number;
}

/**
 * Lets a few lines about each subject pass and counts the others, so that a thousand failures make a few lines and a number. A
 * subject that has been quiet for the longest wait begins anew.
 */
export class LineLimiter {
  readonly #subjects = new InsertionOrderMap<string, Subject>();
  readonly #now: () => number;
  readonly #write: (subject: string, line: string) => void;

  constructor(now: () => number, write: (subject: string, line: string) => void) {
    this.#now = now;
    this.#write = write;
  }

  /** The sentence is asked for only where it is told or remembered as the last. */
  tell(subject: string, sentence: () => string): void {
    const now = this.#now();
    let known = this.#subjects.get(subject);
    if (!known || (known.counted === 0 && now - known.lastAt >= MAX_COUNT_MS)) {
      known = { told: 0, counted: 0, last: '', lastAt: now, waitMs: COUNT_MS };
      this.#subjects.put(subject, known);
      this.#forget();
    }
    if (known.told < MAX_AT_ONCE) {
      known.told += 1;
      known.lastAt = now;
      this.#write(subject, sentence());
      return;
    }
    known.counted += 1;
    // Once per line that is counted would be a sentence per failure: the first of each round stands for all.
    if (known.counted === 1) known.last = sentence();
    this.#settle(subject, known, now);
  }

  /** Tells what was counted, where its time has come. */
  check(): void {
    const now = this.#now();
    for (const [subject, known] of this.#subjects.entries()) this.#settle(subject, known, now);
  }

  /** Tells all that was counted. */
  end(): void {
    for (const [subject, known] of this.#subjects.entries()) this.#settle(subject, known, Number.POSITIVE_INFINITY);
  }

  #settle(subject: string, known: Subject, now: number): void {
    if (known.counted === 0 || now - known.lastAt < known.waitMs) return;
    const { counted, last } = known;
    known.counted = 0;
    known.lastAt = now === Number.POSITIVE_INFINITY ? known.lastAt : now;
    known.waitMs = Math.min(MAX_COUNT_MS, known.waitMs * 2);
    this.#write(subject, counted === 1 ? last : `${counted.toLocaleString('en-US')} more like this: ${last}`);
  }

  #forget(): void {
    if (this.#subjects.size <= MAX_SUBJECTS) return;
    const [subject, known] = this.#subjects.oldest()!;
    this.#settle(subject, known, Number.POSITIVE_INFINITY);
    this.#subjects.delete(subject);
  }
}
