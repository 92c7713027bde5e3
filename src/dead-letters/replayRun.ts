import type { SchedulerLike, Subscription } from 'rxjs';
import type { Sink } from '../contracts/sink.js';
import type { Outlet } from '../flow/gatedSource.js';
import type { WritePolicies } from '../operators/writing/writePolicies.js';
import { MonotonicClock } from '../primitives/monotonicClock.js';
import type { LetterFilter } from './deadLetter.js';
import { draftAfter, GROUP_BYTES, GROUP_LETTERS, type SharedStore } from './deadLetterQueue.js';
import { encodeLetters, type LetterDraft } from './letterLine.js';
import type { LeasedLetter, LetterStore } from './letterStore.js';
import { successorsOf, UNSUBSCRIBED, writeLetter } from './letterWrite.js';
import { ProgressSum, type ReplayProgress, type Settlement } from './replayProgress.js';

export interface ReplaySettings<T> {
  readonly sink: Sink<T>;
  readonly policies: WritePolicies<T>;
  readonly filter: LetterFilter;
  /** 0 for no pace. */
  readonly msAnItem: number;
  readonly dryRun: boolean;
  readonly maxAttempts: number;
  readonly concurrency: number;
  readonly limit: number;
  readonly scheduler: SchedulerLike;
}

/** How many letters may wait for the disk to say that they are settled. */
const UNSETTLED = 64;

/** One subscription to a replay. */
export class ReplayRun<T> {
  readonly #store: LetterStore;
  readonly #shared: SharedStore;
  readonly #settings: ReplaySettings<T>;
  readonly #outlet: Outlet<ReplayProgress>;
  readonly #sum = new ProgressSum();
  readonly #time = new MonotonicClock();
  /** Writes under way, and letters of which the disk has not said yet that they are settled. */
  readonly #writing = new Set<Promise<void>>();
  readonly #settling = new Set<Promise<void>>();
  readonly #subscriptions = new Set<Subscription>();
  #total = 0;
  /** How many letters are settled or passed over. */
  #seen = 0;
  #toldRemaining: number | undefined;
  /** Before this no letter is sent. */
  #nextAt = 0;
  /** No more letters are begun. */
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(shared: SharedStore, settings: ReplaySettings<T>, outlet: Outlet<ReplayProgress>) {
    this.#shared = shared;
    this.#store = shared.store;
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
    // Also those that have begun when another failed.
    await Promise.all([...this.#writing]);
    await Promise.all([...this.#settling]);
    await this.#whenOpen(true);
    if (this.#sum.isNews || this.#remaining !== this.#toldRemaining) this.#tell();
    if (this.#failure) this.#outlet.error(this.#failure.error);
    else this.#outlet.complete();
  }

  /** Nobody listens any more: writes are let go of, and their letters stay. */
  cancel(): void {
    this.#stop();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
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
    if (!this.#settings.dryRun) await this.#store.seal('open');
    this.#total = this.#store.tally('open').letters;
    const letters = this.#store.lease('open', this.#settings.filter, () => {
      this.#seen += 1;
    });
    const group: LeasedLetter[] = [];
    let bytes = 0;
    let taken = 0;
    try {
      while (!this.#isOver && taken < this.#settings.limit) {
        const { value: letter, done } = await letters.next();
        if (done) break;
        taken += 1;
        // One that may be what ended an earlier replay goes alone: an attempt that does not come back is its own then.
        const isSuspect = letter.segment.marks.unfinished(letter.ordinal) > 0;
        if (isSuspect) await this.#send(group.splice(0));
        if (isSuspect) bytes = 0;
        group.push(letter);
        bytes += letter.bytes;
        if (!isSuspect && group.length < GROUP_LETTERS && bytes < GROUP_BYTES) continue;
        await this.#send(group.splice(0));
        bytes = 0;
      }
      await this.#send(group.splice(0));
    } finally {
      this.#store.release(group);
      await letters.return(undefined);
    }
  }

  /** Sends letters one after the other, or as many at a time as is allowed. */
  async #send(group: LeasedLetter[]): Promise<void> {
    if (group.length === 0) return;
    if (this.#settings.dryRun) {
      this.#store.release(group);
      for (const { letter } of group) this.#settled({ ...NOTHING, items: letter.items.length });
      await this.#whenOpen();
      return;
    }
    const { maxAttempts } = this.#settings;
    let begun = 0;
    try {
      await this.#whenOpen();
      if (this.#isOver) return;
      const hopeless = group.filter((one) => triesOf(one) >= maxAttempts);
      const hopeful = group.filter((one) => triesOf(one) < maxAttempts);
      await this.#store.mark('+', hopeful);
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
        while (this.#settling.size >= UNSETTLED) await Promise.race(this.#settling);
      }
      const unsent = order.slice(Math.max(begun, hopeless.length));
      await this.#store.mark('=', unsent);
    } finally {
      this.#store.release(group.slice(begun));
    }
  }

  async #write(leased: LeasedLetter): Promise<void> {
    const { letter } = leased;
    const { sink, policies, maxAttempts } = this.#settings;
    let subscription: Subscription | undefined;
    try {
      const { written, failed } = await writeLetter<unknown>(
        sink as Sink<unknown>,
        policies as WritePolicies<unknown>,
        letter.items,
        (begun) => {
          subscription = begun;
          this.#subscriptions.add(begun);
          if (this.#outlet.closed) begun.unsubscribe();
        },
      );
      // The attempt at hand is among those that have not come back.
      const replays = triesOf(leased);
      this.#settle(leased, written, successorsOf(letter, replays, failed), replays >= maxAttempts);
    } catch (error) {
      this.#fail(error);
      // It has ended, and without a verdict on the letter.
      await this.#store.mark('=', [leased]).catch(() => {});
      this.#store.release([leased]);
    } finally {
      if (subscription) this.#subscriptions.delete(subscription);
    }
  }

  async #park(leased: LeasedLetter): Promise<void> {
    this.#settle(leased, 0, [draftAfter(leased.letter, { replays: triesOf(leased) })], true);
  }

  /** The new letters first, durably, and only then is the old one removed: a crash in between leaves both. */
  #settle(leased: LeasedLetter, written: number, drafts: readonly LetterDraft[], isLast: boolean): void {
    const { letter } = leased;
    const settle = async () => {
      try {
        const encoded = drafts.flatMap((draft) => encodeLetters(draft, this.#store.settings.maxLetterBytes));
        const added = await this.#store.append(isLast ? 'parked' : 'open', encoded);
        await this.#store.mark('-', [leased]);
        const items = letter.items.length;
        this.#shared.counters.replayed.add(added.length === 0 ? 1 : 0, written);
        const parked = isLast ? added.length : 0;
        this.#settled({ items, written, failedAgain: items - written, parked, removed: [letter.id], added });
      } catch (error) {
        this.#fail(error);
      } finally {
        this.#store.release([leased]);
      }
    };
    track(this.#settling, settle());
  }

  #settled(settlement: Settlement): void {
    this.#seen += 1;
    this.#sum.add(settlement);
    if (this.#outlet.isOpen) this.#tell();
  }

  get #remaining(): number {
    return Math.max(0, this.#total - this.#seen);
  }

  #tell(): void {
    const { now } = this.#store.settings;
    this.#toldRemaining = this.#remaining;
    this.#outlet.next(this.#sum.take(this.#remaining, now()));
  }

  /**
   * Resolves when the gate is open, when nobody listens any more, or, unless this is the end, when no more letters are begun.
   * Progress that waited at the gate goes first.
   */
  async #whenOpen(isEnd = false): Promise<void> {
    while (!this.#outlet.isOpen && !this.#outlet.closed && (isEnd || !this.#isOver)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#outlet.whenOpen(resolve);
      });
      this.#wake = undefined;
    }
    if (this.#outlet.isOpen && this.#sum.isNews && this.#seen > 0) this.#tell();
  }

  async #paced({ letter }: LeasedLetter): Promise<void> {
    const { msAnItem, scheduler } = this.#settings;
    if (msAnItem === 0) return;
    let now = this.#time.at(scheduler.now());
    while (now < this.#nextAt && !this.#isOver) {
      const ms = Math.min(this.#nextAt - now, MAX_TIMER_MS);
      await new Promise<void>((resolve) => {
        const timer = scheduler.schedule(() => resolve(), ms);
        this.#wake = () => {
          timer.unsubscribe();
          resolve();
        };
      });
      this.#wake = undefined;
      now = this.#time.at(scheduler.now());
    }
    this.#nextAt = Math.max(now, this.#nextAt) + letter.items.length * msAnItem;
  }
}

/** A longer timer fires at once in Node. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const NOTHING: Settlement = { items: 0, written: 0, failedAgain: 0, parked: 0, removed: [], added: [] };

function triesOf({ letter, segment, ordinal }: LeasedLetter): number {
  return letter.replays + segment.marks.unfinished(ordinal);
}

function track(set: Set<Promise<void>>, work: Promise<void>): void {
  set.add(work);
  void work.finally(() => set.delete(work));
}
