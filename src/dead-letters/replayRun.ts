import { firstValueFrom, Observable, race, Subject } from 'rxjs';
import { retryAfterMsOf } from '../failures/failureHints.js';
import type { Outlet } from '../flow/gatedSource.js';
import { continuationOf, groupsOf } from './deadLetterQueue.js';
import { encodeLetters, idOf } from './letterLine.js';
import { addTo, type LetterLog, type PlacedLetter } from './letterLog.js';
import { LetterInFlight, type LetterPart, partOf, writeParts } from './replayAttempt.js';
import type { ReplayProgress, ReplaySettings } from './replayConfig.js';
import { ReplayLanes } from './replayLanes.js';
import { ReplayPace } from './replayPace.js';
import { type Settlement, settlementOf } from './replaySettlement.js';

/** How many letters are held at once, and how many bytes of them. */
const MAX_LETTERS = 1_024;
const MAX_BYTES = 2 << 20;

/**
 * How many letters may wait for the disk until they are settled, how many bytes of items that failed again, and how many letters
 * are parked at a time.
 */
const MAX_UNSETTLED = 4_096;
const MAX_UNSETTLED_BYTES = 4 << 20;
const MAX_PARKED = 64;

/** One subscription to a replay. */
export class ReplayRun {
  readonly #log: LetterLog;
  readonly #settings: ReplaySettings;
  readonly #outlet: Outlet<ReplayProgress>;
  readonly #lanes: ReplayLanes;
  /** What has happened in this replay, and what of it is news. */
  readonly #sum = { letters: 0, items: 0, written: 0, failedAgain: 0, parked: 0 };
  #removed: string[] = [];
  #added: string[] = [];
  #isNews = true;
  readonly #pace: ReplayPace;
  /** Letters that wait for the disk until they are settled. */
  readonly #settling = new Set<Promise<void>>();
  #unsettled = 0;
  #unsettledBytes = 0;
  readonly #cancelled = new Subject<never>();
  readonly #wake = new Subject<void>();
  #total = 0;
  /** How many letters are settled or skipped. */
  #seen = 0;
  #toldRemaining: number | undefined;
  /** Whether no more letters are begun. */
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(log: LetterLog, settings: ReplaySettings, outlet: Outlet<ReplayProgress>) {
    this.#log = log;
    this.#settings = settings;
    this.#outlet = outlet;
    this.#lanes = new ReplayLanes(settings);
    this.#pace = new ReplayPace(settings.msPerItem, settings.scheduler);
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
    const { dryRun, filter, limit } = this.#settings;
    if (!dryRun) await this.#log.open.seal();
    this.#total = this.#log.open.count.entries;
    const lease = this.#log.lease('open', filter, () => {
      this.#seen += 1;
    });
    // A letter that may have killed an earlier replay goes alone, so that its neighbours are not blamed.
    const isAlone = (letter: PlacedLetter): boolean => this.#log.open.begun(letter) > 0;
    try {
      for await (const group of groupsOf(lease.letters, {
        maxLetters: MAX_LETTERS,
        maxBytes: MAX_BYTES,
        limit,
        isAlone,
      })) {
        await this.#send(group);
        if (this.#isOver) break;
      }
    } finally {
      // What is being settled is released there.
      await Promise.all([...this.#settling]);
      lease.end();
    }
  }

  /** Sends letters, as many at a time as is allowed. */
  async #send(group: PlacedLetter[]): Promise<void> {
    if (this.#settings.dryRun) {
      this.#log.release(group);
      for (const { weight } of group) this.#settled(weight);
      if (this.#outlet.isOpen) this.#tell();
      await this.#whenOpen();
      return;
    }
    const { maxReplays, mend } = this.#settings;
    const hopeless = group.filter((letter) => this.#replaysOf(letter) >= maxReplays);
    const hopeful = group.filter((letter) => this.#replaysOf(letter) < maxReplays);
    await this.#park(hopeless);
    await this.#whenOpen();
    if (this.#isOver) return;
    await this.#log.open.mark('+', hopeful);
    const letters = hopeful.map((leased) => new LetterInFlight(leased));
    const work = this.#lanes.fill(letters, (letter) => partOf(letter, mend));
    // A letter without an item that can be sent has nothing to wait for.
    await this.#end(letters.filter(({ pending }) => pending === 0));
    await Promise.all(work.map((lane) => this.#writeLane(lane)));
    const kept = letters.filter(({ isKept, pending }) => isKept || pending > 0).map(({ leased }) => leased);
    if (kept.length === 0) return;
    // The attempt has ended without a result for these letters, or has not begun.
    await this.#log.open.mark('=', kept).catch((error: unknown) => this.#fail(error));
    this.#log.release(kept);
  }

  async #writeLane(parts: LetterPart[]): Promise<void> {
    const { sink, policies } = this.#settings;
    while (parts.length > 0) {
      // What waits behind a gate must not come in a rush when it opens.
      if (!this.#outlet.isOpen) this.#lanes.slowDown();
      await this.#whenOpen();
      await this.#paced();
      if (this.#isOver) return;
      const taken = this.#lanes.take(parts, (weight) => this.#pace.take(weight));
      const failures = failuresOf(taken);
      try {
        await writeParts(sink, policies, taken, this.#cancelled);
      } catch (error) {
        for (const { letter } of taken) letter.isKept = true;
        this.#fail(error);
      }
      if (failuresOf(taken) > failures) this.#failedAgain(taken);
      const ended: LetterInFlight[] = [];
      for (const { letter } of taken) {
        letter.pending -= 1;
        if (letter.pending === 0) ended.push(letter);
      }
      await this.#end(ended);
    }
  }

  /** What comes next begins with one letter, and when the sink wants it. */
  #failedAgain(parts: readonly LetterPart[]): void {
    this.#lanes.slowDown();
    for (const { letter } of parts) {
      for (const { error } of letter.failures) this.#pace.hold(retryAfterMsOf(error));
    }
  }

  /** Settles letters of which all items have been tried. */
  async #end(ended: readonly LetterInFlight[]): Promise<void> {
    const settlements: Settlement[] = [];
    for (const letter of ended) {
      if (letter.isKept) continue;
      const { leased, written } = letter;
      // The current attempt is among those that have begun and not ended.
      const replays = this.#replaysOf(leased);
      const isLast = replays >= this.#settings.maxReplays;
      const drafts = letter.failures.length === 0 ? [] : letter.drafts(replays);
      settlements.push(settlementOf(leased, written, drafts, isLast));
    }
    if (settlements.length === 0) return;
    const work = this.#settle(settlements);
    this.#settling.add(work);
    void work.finally(() => this.#settling.delete(work));
    while (this.#unsettled >= MAX_UNSETTLED || this.#unsettledBytes >= MAX_UNSETTLED_BYTES) {
      await Promise.race(this.#settling);
    }
  }

  async #park(letters: readonly PlacedLetter[]): Promise<void> {
    for (let next = 0; next < letters.length; next += MAX_PARKED) {
      await this.#whenOpen();
      if (this.#isOver) return;
      const parked = letters.slice(next, next + MAX_PARKED).map((leased): Settlement => {
        const draft = continuationOf(leased.value, { replays: this.#replaysOf(leased) });
        return settlementOf(leased, 0, [draft], true);
      });
      await this.#settle(parked);
    }
  }

  /** The new letters are durable before the old ones are removed: a crash in between leaves both. */
  async #settle(settlements: readonly Settlement[]): Promise<void> {
    const places = settlements.map(({ place }) => place);
    const bytes = settlements.reduce((sum, one) => sum + one.bytes, 0);
    this.#unsettled += settlements.length;
    this.#unsettledBytes += bytes;
    try {
      const added = await Promise.all([this.#append(settlements, false), this.#append(settlements, true)]);
      await this.#log.open.mark('-', places);
      for (const { place, written, drafts } of settlements) {
        addTo(this.#log.totals.replayed, drafts.length === 0 ? 1 : 0, written);
        this.#removed.push(place.id);
        this.#settled(place.weight, written, place.weight - written);
      }
      this.#sum.parked += added[1].length;
      this.#added.push(...added[0], ...added[1]);
      if (this.#outlet.isOpen) this.#tell();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#unsettled -= settlements.length;
      this.#unsettledBytes -= bytes;
      this.#log.release(places);
    }
  }

  /** Appends the new letters of those that have, or have not, failed too often; returns their ids. */
  async #append(settlements: readonly Settlement[], isLast: boolean): Promise<string[]> {
    const drafts = settlements.flatMap((one) => (one.isLast === isLast ? one.drafts : []));
    if (drafts.length === 0) return [];
    const encoded = drafts.flatMap((draft) => encodeLetters(draft, this.#log.config.maxEntryBytes));
    return (await this.#log[isLast ? 'parked' : 'open'].append(encoded)).map(idOf);
  }

  #settled(items: number, written = 0, failedAgain = 0): void {
    const sum = this.#sum;
    this.#seen += 1;
    sum.letters += 1;
    sum.items += items;
    sum.written += written;
    sum.failedAgain += failedAgain;
    this.#isNews = true;
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

  /** Resolves when the next item may be sent. */
  async #paced(): Promise<void> {
    while (this.#pace.waitMs > 0 && !this.#isOver) await this.#until(this.#pace.due$);
  }

  /** Resolves when `event$` emits, when no more letters are begun, or when the subscriber is gone. */
  async #until(event$: Observable<unknown>): Promise<void> {
    await firstValueFrom(race(event$, this.#wake));
  }
}

function failuresOf(parts: readonly LetterPart[]): number {
  return parts.reduce((sum, { letter }) => sum + letter.failures.length, 0);
}
