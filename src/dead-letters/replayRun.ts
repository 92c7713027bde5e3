import { firstValueFrom, Observable, race, type SchedulerLike, Subject, timer } from 'rxjs';
import type { Sink } from '../contracts/sink.js';
import type { Outlet } from '../flow/gatedSource.js';
import type { WritePolicies } from '../operators/writing/writePolicies.js';
import { MonotonicClock } from '../primitives/monotonicClock.js';
import { MAX_TIMER_MS } from '../primitives/timer.js';
import type { LetterFilter } from './deadLetter.js';
import { continuationOf, groupsOf } from './deadLetterQueue.js';
import { encodeLetters, idOf, type LetterDraft } from './letterLine.js';
import { addTo, type LetterLog, type PlacedLetter } from './letterLog.js';
import { lettersForFailures, writeLetter } from './replayAttempt.js';

export interface ReplayDeadLettersConfig<T> {
  /** Where the items go: usually the sink of the pipeline. Required. */
  readonly sink: Sink<T>;
  /** How each letter is written, as for `writeTo()`, with its defaults. What fails permanently becomes a new letter. */
  readonly policies?: Omit<WritePolicies<T>, 'deadLetters' | 'concurrency'>;
  /** Which letters. Default: all that are open. */
  readonly filter?: Omit<LetterFilter, 'state'>;
  /** At most `rate` items (above 0) per `perMs` milliseconds (above 0, default 1,000), evenly spread. Default: no limit. */
  readonly pace?: { readonly rate: number; readonly perMs?: number };
  /** Counts what would be sent, and changes nothing. Default false. */
  readonly dryRun?: boolean;
  /** How many replays of a letter may fail before it is parked. Integer of at least 1, default 5. */
  readonly maxReplays?: number;
  /** How many letters may be in flight at once. Integer of at least 1, default 1, which keeps their order. */
  readonly concurrency?: number;
  /** How many letters are sent at most. Integer of at least 1. Default: no limit. */
  readonly limit?: number;
  /** The clock and timers of `pace`. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/** How far a replay has come. The numbers count this replay, and grow. */
export interface ReplayProgress {
  /** Letters that are settled: written, written in part, failed or parked; with `dryRun`, those that would be sent. */
  readonly letters: number;
  /** The items in them. */
  readonly items: number;
  /** Items that the sink has written. */
  readonly written: number;
  /** Items that failed again, and are in new letters. */
  readonly failedAgain: number;
  /** Letters that are parked now. */
  readonly parked: number;
  /** Letters that this replay has not reached yet; a filter may exclude some of them. */
  readonly remaining: number;
  /** When this was so, in Unix epoch milliseconds. */
  readonly at: number;
  /** The letters that were removed since the last progress: their items are written, or in one of `added`. */
  readonly removed: readonly string[];
  /** The letters that were made since the last progress, of items that have failed again. */
  readonly added: readonly string[];
}

/** What was asked for, with its defaults. */
export interface ReplaySettings extends Required<Omit<ReplayDeadLettersConfig<unknown>, 'pace'>> {
  /** 0 for no pace. */
  readonly msPerItem: number;
}

/** How many letters may wait for the disk until they are settled. */
const MAX_UNSETTLED = 64;

/** One subscription to a replay. */
export class ReplayRun {
  readonly #log: LetterLog;
  readonly #settings: ReplaySettings;
  readonly #outlet: Outlet<ReplayProgress>;
  /** What has happened in this replay, and what of it is news. */
  readonly #sum = { letters: 0, items: 0, written: 0, failedAgain: 0, parked: 0 };
  #removed: string[] = [];
  #added: string[] = [];
  #isNews = true;
  readonly #time = new MonotonicClock();
  /** Writes in flight, and letters that wait for the disk until they are settled. */
  readonly #writing = new Set<Promise<void>>();
  readonly #settling = new Set<Promise<void>>();
  readonly #cancelled = new Subject<never>();
  readonly #wake = new Subject<void>();
  #total = 0;
  /** How many letters are settled or skipped. */
  #seen = 0;
  #toldRemaining: number | undefined;
  /** No letter is sent before this time. */
  #nextAt = 0;
  /** Whether no more letters are begun. */
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(log: LetterLog, settings: ReplaySettings, outlet: Outlet<ReplayProgress>) {
    this.#log = log;
    this.#settings = settings;
    this.#outlet = outlet;
  }

  async start(): Promise<void> {
    const stopping = this.#outlet.context.stopping.subscribe(() => this.#stop());
    try {
      await this.#replay();
    } catch (error) {
      this.#fail(error);
    }
    stopping.unsubscribe();
    // Those that had begun when another one failed, too.
    await Promise.all([...this.#writing]);
    await Promise.all([...this.#settling]);
    await this.#whenOpen(true);
    if (this.#isNews || this.#remaining !== this.#toldRemaining) this.#tell();
    if (this.#failure) this.#outlet.error(this.#failure.error);
    else this.#outlet.complete();
  }

  /** Unsubscribes the writes in flight; their letters stay. */
  cancel(): void {
    this.#stop();
    this.#cancelled.error(new Error('the replay was unsubscribed'));
  }

  #replaysOf(leased: PlacedLetter): number {
    return leased.value.replays + this.#log.open.begun(leased);
  }

  #stop(): void {
    this.#isOver = true;
    this.#wake.next();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stop();
  }

  async #replay(): Promise<void> {
    if (!this.#settings.dryRun) await this.#log.open.seal();
    this.#total = this.#log.open.count.entries;
    const letters = this.#log.lease('open', this.#settings.filter, () => {
      this.#seen += 1;
    });
    // A letter that may have killed an earlier replay goes alone, so that its neighbours are not blamed.
    const isSuspect = (letter: PlacedLetter): boolean => this.#log.open.begun(letter) > 0;
    for await (const group of groupsOf(letters, this.#settings.limit, isSuspect)) {
      await this.#send(group);
      if (this.#isOver) break;
    }
  }

  /** Sends letters, as many at a time as is allowed. */
  async #send(group: PlacedLetter[]): Promise<void> {
    if (this.#settings.dryRun) {
      this.#log.release(group);
      for (const { weight } of group) this.#settled(weight);
      await this.#whenOpen();
      return;
    }
    const { maxReplays, concurrency } = this.#settings;
    const hopeless = group.filter((letter) => this.#replaysOf(letter) >= maxReplays);
    const hopeful = group.filter((letter) => this.#replaysOf(letter) < maxReplays);
    const order = [...hopeless, ...hopeful];
    let begun = 0;
    try {
      await this.#whenOpen();
      if (this.#isOver) return;
      await this.#log.open.mark('+', hopeful);
      for (const letter of order) {
        await this.#whenOpen();
        await this.#paced(letter);
        if (this.#isOver) break;
        begun += 1;
        if (begun <= hopeless.length) this.#park(letter);
        else track(this.#writing, this.#write(letter));
        while (this.#writing.size >= concurrency) await Promise.race(this.#writing);
        while (this.#settling.size >= MAX_UNSETTLED) await Promise.race(this.#settling);
      }
      await this.#log.open.mark('=', order.slice(Math.max(begun, hopeless.length)));
    } finally {
      this.#log.release(order.slice(begun));
    }
  }

  async #write(leased: PlacedLetter): Promise<void> {
    const { value: letter } = leased;
    const { sink, policies, maxReplays } = this.#settings;
    try {
      const { written, failed } = await writeLetter(sink, policies, letter.items, this.#cancelled);
      // The current attempt is among those that have begun and not ended.
      const replays = this.#replaysOf(leased);
      const drafts = lettersForFailures(letter, replays, failed);
      track(this.#settling, this.#settle(leased, written, drafts, replays >= maxReplays));
    } catch (error) {
      this.#fail(error);
      // The attempt has ended without a result for the letter.
      await this.#log.open.mark('=', [leased]).catch(() => {});
      this.#log.release([leased]);
    }
  }

  #park(leased: PlacedLetter): void {
    const draft = continuationOf(leased.value, { replays: this.#replaysOf(leased) });
    track(this.#settling, this.#settle(leased, 0, [draft], true));
  }

  /** The new letters are durable before the old one is removed: a crash in between leaves both. */
  async #settle(leased: PlacedLetter, written: number, drafts: readonly LetterDraft[], isLast: boolean): Promise<void> {
    const { value: letter, weight } = leased;
    try {
      const encoded = drafts.flatMap((draft) => encodeLetters(draft, this.#log.config.maxEntryBytes));
      const added = (await this.#log[isLast ? 'parked' : 'open'].append(encoded)).map(idOf);
      await this.#log.open.mark('-', [leased]);
      addTo(this.#log.totals.replayed, added.length === 0 ? 1 : 0, written);
      this.#removed.push(letter.id);
      this.#added.push(...added);
      this.#settled(weight, written, weight - written, isLast ? added.length : 0);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#log.release([leased]);
    }
  }

  #settled(items: number, written = 0, failedAgain = 0, parked = 0): void {
    const sum = this.#sum;
    this.#seen += 1;
    sum.letters += 1;
    sum.items += items;
    sum.written += written;
    sum.failedAgain += failedAgain;
    sum.parked += parked;
    this.#isNews = true;
    if (this.#outlet.isOpen) this.#tell();
  }

  get #remaining(): number {
    return Math.max(0, this.#total - this.#seen);
  }

  #tell(): void {
    const news = { removed: this.#removed, added: this.#added, remaining: this.#remaining };
    this.#toldRemaining = news.remaining;
    this.#removed = [];
    this.#added = [];
    this.#isNews = false;
    this.#outlet.next({ ...this.#sum, ...news, at: this.#log.config.now() });
  }

  /**
   * Resolves when the gate is open, when the subscriber is gone, or, except at the end, when no more letters are begun. Progress
   * that waited at the gate goes first.
   */
  async #whenOpen(isEnd = false): Promise<void> {
    while (!this.#outlet.isOpen && !this.#outlet.closed && (isEnd || !this.#isOver)) {
      await this.#until(new Observable<void>((subscriber) => this.#outlet.whenOpen(() => subscriber.next())));
    }
    if (this.#outlet.isOpen && this.#isNews && this.#seen > 0) this.#tell();
  }

  async #paced({ weight }: PlacedLetter): Promise<void> {
    const { msPerItem, scheduler } = this.#settings;
    if (msPerItem === 0) return;
    let now = this.#time.at(scheduler.now());
    while (now < this.#nextAt && !this.#isOver) {
      await this.#until(timer(Math.min(this.#nextAt - now, MAX_TIMER_MS), scheduler));
      now = this.#time.at(scheduler.now());
    }
    this.#nextAt = Math.max(now, this.#nextAt) + weight * msPerItem;
  }

  /** Resolves when `event$` emits, when no more letters are begun, or when the subscriber is gone. */
  async #until(event$: Observable<unknown>): Promise<void> {
    await firstValueFrom(race(event$, this.#wake));
  }
}

function track(set: Set<Promise<void>>, work: Promise<void>): void {
  set.add(work);
  void work.finally(() => set.delete(work));
}
