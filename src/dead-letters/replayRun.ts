import { type SchedulerLike, Subscription } from 'rxjs';
import type { Sink } from '../contracts/sink.js';
import type { Outlet } from '../flow/gatedSource.js';
import type { WritePolicies } from '../operators/writing/writePolicies.js';
import { MonotonicClock } from '../primitives/monotonicClock.js';
import { MAX_TIMER_MS } from '../primitives/timer.js';
import type { LetterFilter } from './deadLetter.js';
import { continuationOf, groupsOf } from './deadLetterQueue.js';
import { encodeLetters, idOf, type LetterDraft } from './letterLine.js';
import { addTo, type LetterLog, type PlacedLetter } from './letterLog.js';
import { lettersForFailures, UNSUBSCRIBED, writeLetter } from './replayAttempt.js';
import type { ReplayProgress } from './replayProgress.js';

export interface ReplaySettings {
  readonly sink: Sink<unknown>;
  readonly policies: WritePolicies<unknown>;
  readonly filter: LetterFilter;
  /** 0 for no pace. */
  readonly msPerItem: number;
  readonly dryRun: boolean;
  readonly maxReplays: number;
  readonly concurrency: number;
  readonly limit: number;
  readonly scheduler: SchedulerLike;
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
  readonly #writes = new Subscription();
  #total = 0;
  /** How many letters are settled or skipped. */
  #seen = 0;
  #toldRemaining: number | undefined;
  /** No letter is sent before this time. */
  #nextAt = 0;
  /** Whether no more letters are begun. */
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

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
    this.#writes.unsubscribe();
  }

  #replaysOf(leased: PlacedLetter): number {
    return leased.value.replays + this.#log.open.begun(leased);
  }

  #stop(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  #fail(error: unknown): void {
    if (error !== UNSUBSCRIBED) this.#failure ??= { error };
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
    const { maxReplays } = this.#settings;
    let begun = 0;
    try {
      await this.#whenOpen();
      if (this.#isOver) return;
      const hopeless = group.filter((one) => this.#replaysOf(one) >= maxReplays);
      const hopeful = group.filter((one) => this.#replaysOf(one) < maxReplays);
      await this.#log.open.mark('+', hopeful);
      const order = [...hopeless, ...hopeful];
      group.splice(0, group.length, ...order);
      for (const letter of order) {
        await this.#whenOpen();
        await this.#paced(letter);
        if (this.#isOver) break;
        begun += 1;
        const isHopeless = begun <= hopeless.length;
        const work = isHopeless ? this.#park(letter) : this.#write(letter);
        track(this.#writing, work);
        while (this.#writing.size >= this.#settings.concurrency) await Promise.race(this.#writing);
        while (this.#settling.size >= MAX_UNSETTLED) await Promise.race(this.#settling);
      }
      const unsent = order.slice(Math.max(begun, hopeless.length));
      await this.#log.open.mark('=', unsent);
    } finally {
      this.#log.release(group.slice(begun));
    }
  }

  async #write(leased: PlacedLetter): Promise<void> {
    const { value: letter } = leased;
    const { sink, policies, maxReplays } = this.#settings;
    try {
      const { written, failed } = await writeLetter(sink, policies, letter.items, this.#writes);
      // The current attempt is among those that have begun and not ended.
      const replays = this.#replaysOf(leased);
      this.#settle(leased, written, lettersForFailures(letter, replays, failed), replays >= maxReplays);
    } catch (error) {
      this.#fail(error);
      // The attempt has ended without a result for the letter.
      await this.#log.open.mark('=', [leased]).catch(() => {});
      this.#log.release([leased]);
    }
  }

  async #park(leased: PlacedLetter): Promise<void> {
    this.#settle(leased, 0, [continuationOf(leased.value, { replays: this.#replaysOf(leased) })], true);
  }

  /** The new letters are durable before the old one is removed: a crash in between leaves both. */
  #settle(leased: PlacedLetter, written: number, drafts: readonly LetterDraft[], isLast: boolean): void {
    const { value: letter } = leased;
    const settle = async () => {
      try {
        const encoded = drafts.flatMap((draft) => encodeLetters(draft, this.#log.config.maxEntryBytes));
        const added = (await this.#log[isLast ? 'parked' : 'open'].append(encoded)).map(idOf);
        await this.#log.open.mark('-', [leased]);
        const items = letter.items.length;
        addTo(this.#log.totals.replayed, added.length === 0 ? 1 : 0, written);
        const parked = isLast ? added.length : 0;
        this.#removed.push(letter.id);
        this.#added.push(...added);
        this.#settled(items, written, items - written, parked);
      } catch (error) {
        this.#fail(error);
      } finally {
        this.#log.release([leased]);
      }
    };
    track(this.#settling, settle());
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
    const remaining = this.#remaining;
    const news = { removed: this.#removed, added: this.#added };
    this.#toldRemaining = remaining;
    this.#removed = [];
    this.#added = [];
    this.#isNews = false;
    this.#outlet.next({ ...this.#sum, remaining, at: this.#log.config.now(), ...news });
  }

  /**
   * Resolves when the gate is open, when the subscriber is gone, or, except at the end, when no more letters are begun. Progress
   * that waited at the gate goes first.
   */
  async #whenOpen(isEnd = false): Promise<void> {
    while (!this.#outlet.isOpen && !this.#outlet.closed && (isEnd || !this.#isOver)) {
      await this.#pause((resume) => this.#outlet.whenOpen(resume));
    }
    if (this.#outlet.isOpen && this.#isNews && this.#seen > 0) this.#tell();
  }

  async #paced({ weight }: PlacedLetter): Promise<void> {
    const { msPerItem, scheduler } = this.#settings;
    if (msPerItem === 0) return;
    let now = this.#time.at(scheduler.now());
    while (now < this.#nextAt && !this.#isOver) {
      const ms = Math.min(this.#nextAt - now, MAX_TIMER_MS);
      let timer: Subscription | undefined;
      await this.#pause((resume) => {
        timer = scheduler.schedule(() => resume(), ms);
      });
      timer?.unsubscribe();
      now = this.#time.at(scheduler.now());
    }
    this.#nextAt = Math.max(now, this.#nextAt) + weight * msPerItem;
  }

  /** Waits until `begin` resumes it, or no more letters are begun. */
  async #pause(begin: (resume: () => void) => void): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      begin(resolve);
    });
    this.#wake = undefined;
  }
}

function track(set: Set<Promise<void>>, work: Promise<void>): void {
  set.add(work);
  void work.finally(() => set.delete(work));
}
