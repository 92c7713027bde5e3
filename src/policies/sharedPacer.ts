import { eventLoopScheduler } from '../primitives/eventLoopScheduler.js';
import { having, integer, type OptionsOf, readOptions, text, unchecked } from '../primitives/options.js';
import { Timer } from '../primitives/timer.js';
import type { PacingProfile } from './pacingProfile.js';
import { type PacingPriority, PacingQueue, type QueuedRequest } from './pacingQueue.js';

export interface SharedPacerConfig<T> {
  /** The limits of the vendor. Default: none; only a cooldown makes anybody wait. */
  readonly profile?: PacingProfile<T> | undefined;
  /** The most requests that wait. Integer of at least 1, default 1,024. */
  readonly maxWaiting?: number;
  /** The clock and timers. Default: those of `asyncScheduler`. */
  readonly scheduler?: ConstructorParameters<typeof Timer>[0];
  /** The name in errors. Default `SharedPacer`. */
  readonly name?: string;
}

/** What a pacer has done until now, and what it holds. */
export interface PacerCounts {
  /** How many wait, of each priority. */
  readonly waiting: Readonly<Record<PacingPriority, number>>;
  /** How many have passed, of each priority. */
  readonly passed: Readonly<Record<PacingPriority, number>>;
  /** How many have passed and were not given back, where the profile has `maxOpen`. */
  readonly open: number;
  /** How often the vendor's word made everybody wait longer. */
  readonly cooldowns: number;
  /** How long those that have passed had waited, all in all, in seconds. */
  readonly waitedSeconds: number;
}

/** How one asks a {@link SharedPacer} for its turn. */
export interface PacerAsk {
  /** `live` goes before `history`. Default `history`. */
  readonly priority?: PacingPriority;
  /** Asked when its time has come: with false it loses its place, and its owner asks again. Default: it is always ready. */
  readonly ready?: () => boolean;
  /**
   * As of when it counts in the windows: its passage (default), or its end, for what takes time to reach the vendor, who counts when it
   * arrives. Until it is ended, such a ticket counts all the time.
   */
  readonly countsFrom?: 'passage' | 'end';
  /** It has passed, later than in `ask` itself. */
  readonly pass: () => void;
}

/** A request at a pacer. */
export interface PacerTicket {
  /** Whether it has passed. */
  readonly hasPassed: boolean;
  /** Whether it waits. */
  readonly isWaiting: boolean;
  /** It is over: one that waits is withdrawn, one that has passed is given back. Every call but the first does nothing. */
  end(): void;
}

/** How long a polled request may be told to wait: whoever is ahead of it may withdraw. Below the time in which it loses its place. */
const POLL_MS = 500;

const OPTIONS = {
  profile: unchecked(),
  maxWaiting: integer({ min: 1 }).default(1_024),
  scheduler: having('now', 'schedule').default(eventLoopScheduler),
  name: text().default('SharedPacer'),
} satisfies OptionsOf<SharedPacerConfig<unknown>>;

/**
 * One vendor's limits for many who ask: requests wait, none fails. Whoever shares an account shares its pacer: several providers,
 * chains with `pace({ pacer })`, programs of one's own.
 *
 * - **Order**: first come, first served; `live` before `history`. Of five that pass while both kinds wait, at least one is of `history`.
 *   A request that waits for a window of its key holds up that key alone.
 * - **Cooldown**: after {@link coolDown}, nothing passes for that time, the longest one counts, and those that wait go on in their order.
 * - **Errors**: what a callback of the profile throws, and `PacerFullError` where `maxWaiting` wait already, go to who asks. What `pass`
 *   or `ready` throws does not touch the others: it is thrown on its own, as an uncaught error.
 * - **Re-entry**: whoever asks within `pass` is queued, and served after it.
 * - The timer is set only while somebody waits.
 *
 * @example
 * ```ts
 * import { SharedPacer } from 'sluice/policies';
 *
 * const pacer = new SharedPacer<string>({ profile: { windows: [{ limit: 5, perMs: 60_000 }] } });
 * const ticket = await pacer.turn('AAPL', { priority: 'live' });
 * console.log('may be asked now');
 * ticket.end();
 * ```
 */
export class SharedPacer<T> {
  /** The limits. */
  readonly profile: PacingProfile<T> | undefined;
  readonly #queue: PacingQueue<T>;
  readonly #scheduler: NonNullable<SharedPacerConfig<T>['scheduler']>;
  readonly #timer: Timer;
  readonly #tickets = new Map<QueuedRequest, Ticket<T>>();
  readonly #passed: Record<PacingPriority, number> = { live: 0, history: 0 };
  #cooldowns = 0;
  #waitedMs = 0;
  #isPumping = false;
  #dueAt = 0;

  constructor(config: SharedPacerConfig<T> = {}) {
    const { maxWaiting, scheduler, name } = readOptions('SharedPacer', config, OPTIONS);
    this.profile = config.profile;
    this.#queue = new PacingQueue({ profile: config.profile, maxWaiting, owner: name });
    this.#scheduler = scheduler;
    this.#timer = new Timer(scheduler, () => this.#pump());
  }

  get counts(): PacerCounts {
    const queue = this.#queue;
    return {
      waiting: { live: queue.waiting('live'), history: queue.waiting('history') },
      passed: { ...this.#passed },
      open: queue.open,
      cooldowns: this.#cooldowns,
      waitedSeconds: this.#waitedMs / 1_000,
    };
  }

  /** Asks to pass. If it may at once, the ticket says so, and `pass` is not called. */
  ask(item: T, { priority = 'history', countsFrom, ready, pass }: PacerAsk): PacerTicket {
    const kind = { priority, isPolled: false, countsFromEnd: countsFrom === 'end' };
    const request = this.#queue.enter(item, kind, this.#scheduler.now());
    const ticket = new Ticket(this, request, ready, pass);
    this.#tickets.set(request, ticket);
    this.#pump();
    ticket.isAsking = false;
    return ticket;
  }

  /** Waits until the item may pass. `signal` ends the wait with its reason. End the ticket when the request is over. */
  turn(
    item: T,
    { signal, ...how }: Pick<PacerAsk, 'priority' | 'countsFrom'> & { readonly signal?: AbortSignal } = {},
  ): Promise<PacerTicket> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const abort = () => {
        ticket.end();
        reject(signal?.reason);
      };
      const pass = () => {
        signal?.removeEventListener('abort', abort);
        resolve(ticket);
      };
      const ticket = this.ask(item, { ...how, pass });
      if (ticket.hasPassed) resolve(ticket);
      else signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /**
   * For state machines that are asked rather than called back: queues the item, at first with no ticket, and says in how many
   * milliseconds, at most 500, to ask again with the ticket; it has passed when that is 0. It passes only when it is asked for. A ticket that
   * could have passed for a second, and was not asked for, loses its place.
   */
  poll(item: T, priority: PacingPriority, now: number, former?: PacerTicket): { ticket: PacerTicket; waitMs: number } {
    const ticket = former?.isWaiting ? (former as Ticket<T>) : this.#enterPolled(item, priority, now);
    // Within a callback of another request it is not its turn yet.
    if (this.#isPumping) return { ticket, waitMs: 1 };
    this.#pump(now, ticket.request);
    return { ticket, waitMs: ticket.hasPassed ? 0 : Math.min(this.#queue.waitMsOf(ticket.request), POLL_MS) };
  }

  /** The vendor has said that there were too many requests: nothing passes for `ms` milliseconds. */
  coolDown(ms: number, now = this.#scheduler.now()): void {
    if (!this.#queue.coolDown(ms, now)) return;
    this.#cooldowns += 1;
    if (this.#tickets.size > 0) this.#pump(now);
  }

  /** In how many milliseconds a new item of weight 1 could pass, as far as windows of single keys let it. */
  readyInMs(now = this.#scheduler.now()): number {
    return this.#queue.readyInMs(now);
  }

  /** @internal Called by tickets. */
  end(request: QueuedRequest): void {
    this.#tickets.delete(request);
    // Those that are polled come by themselves.
    if (this.#queue.end(request, this.#scheduler.now()) && this.#tickets.size > 0) this.#pump();
    else if (this.#tickets.size === 0) this.#timer.cancel();
  }

  #enterPolled(item: T, priority: PacingPriority, now: number): Ticket<T> {
    const request = this.#queue.enter(item, { priority, isPolled: true, countsFromEnd: false }, now);
    return new Ticket(this, request, undefined, undefined);
  }

  /** Lets pass what may, one at a time: the next one is chosen after the callback of the last, which may have changed anything. */
  #pump(now = this.#scheduler.now(), polled?: QueuedRequest): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    const queue = this.#queue;
    for (let request = queue.first(now, polled); request; request = queue.first(now, polled)) this.#let(request, now);
    this.#isPumping = false;
    this.#setTimer();
  }

  #let(request: QueuedRequest, now: number): void {
    const ticket = this.#tickets.get(request);
    this.#tickets.delete(request);
    try {
      if (ticket?.ready && !ticket.isAsking && !ticket.ready()) {
        this.#queue.end(request, now);
        return;
      }
      // `ready` may have ended it.
      if (request.state !== 'waiting') return;
      this.#waitedMs += this.#queue.pass(request, now);
      this.#passed[request.priority] += 1;
      if (ticket && !ticket.isAsking) ticket.pass?.();
    } catch (error) {
      if (request.state === 'waiting') this.#queue.end(request, now);
      this.#scheduler.schedule(() => {
        throw error;
      });
    }
  }

  /** Polled requests have owners that come by themselves. */
  #setTimer(): void {
    const { waitMs } = this.#queue;
    if (this.#tickets.size === 0 || waitMs === Number.POSITIVE_INFINITY) {
      this.#timer.cancel();
      return;
    }
    const dueAt = this.#scheduler.now() + waitMs;
    if (this.#timer.isSet && dueAt === this.#dueAt) return;
    this.#dueAt = dueAt;
    this.#timer.set(waitMs);
  }
}

class Ticket<T> implements PacerTicket {
  readonly request: QueuedRequest;
  readonly ready: (() => boolean) | undefined;
  readonly pass: (() => void) | undefined;
  isAsking = true;
  readonly #pacer: SharedPacer<T>;

  constructor(
    pacer: SharedPacer<T>,
    request: QueuedRequest,
    ready: (() => boolean) | undefined,
    pass: (() => void) | undefined,
  ) {
    this.#pacer = pacer;
    this.request = request;
    this.ready = ready;
    this.pass = pass;
  }

  get hasPassed(): boolean {
    return this.request.state === 'passed';
  }

  get isWaiting(): boolean {
    return this.request.state === 'waiting';
  }

  end(): void {
    this.#pacer.end(this.request);
  }
}
