import { PacerFullError } from './pacerFull.js';
import { type PacingCost, type PacingProfile, ProfilePacer, type WindowCost } from './pacingProfile.js';

/** `live` goes before `history`: see {@link PacingQueue}. */
export type PacingPriority = 'live' | 'history';

export interface PacingQueueConfig<T> {
  /** The limits. Without them, only a cooldown makes anybody wait. */
  readonly profile: PacingProfile<T> | undefined;
  /** The most requests that wait. */
  readonly maxWaiting: number;
  /** The name in errors. */
  readonly owner: string;
}

/** What waits for one key of a window, or for one that all share. */
interface Line {
  /** The scan in which somebody ahead has kept it from those behind, and for how long. */
  scan: number;
  waitMs: number;
  /** How many requests in the queue refer to it. */
  users: number;
}

/** A request in the queue. */
export interface QueuedRequest {
  readonly priority: PacingPriority;
  /** Whether it passes only when its owner asks, rather than as soon as it may. */
  readonly isPolled: boolean;
  /** Whether it counts in the windows as of its end, rather than of its passage. */
  readonly countsFromEnd: boolean;
  readonly askedAt: number;
  readonly cost: PacingCost;
  /** Where it is. */
  state: 'waiting' | 'passed' | 'over';
  /** In how many milliseconds to look at it again, as of the scan with this number. */
  waitMs: number;
  scan: number;
  /** Since when it could pass and its owner has not asked. */
  idleSince: number | undefined;
  /** The shared windows that it has waited for, by their place in the cost: nobody behind it may use their room. */
  readonly claims: (boolean | undefined)[];
  /** Where it waits, by the same places. */
  readonly lines: (Line | undefined)[];
  claimsSlot: boolean;
}

/** Of so many in a row that pass while both kinds wait, one is of `history`. */
export const HISTORY_TURN = 5;
/** A polled request that could have passed for so long belongs to nobody any more. */
export const LEASE_MS = 1_000;

const NO_COST: PacingCost = { windows: [], isOpening: false };

/**
 * Requests that wait for the limits of a {@link PacingProfile}, in the order in which they pass. No clock and no timer: it is asked
 * who is next.
 *
 * - First come, first served; `live` before `history`. Of five that pass while both kinds wait, at least one is of `history`: after four
 *   of `live` the oldest of `history` goes first, and what it waits for is kept for it.
 * - A request that waits for the window of a key holds up those of the same key, and nobody else.
 * - A request that waits for a window which all share, or for one that is open to be given back, holds up those behind it that need
 *   the same: a heavy one is not overtaken for ever by light ones.
 * - In a cooldown nothing passes. The longest one counts.
 */
export class PacingQueue<T> {
  readonly #pacer: ProfilePacer<T> | undefined;
  readonly #clock: ProfilePacer<T>;
  readonly #maxWaiting: number;
  readonly #owner: string;
  readonly #waiting: Readonly<Record<PacingPriority, QueuedRequest[]>> = { live: [], history: [] };
  readonly #lines = new Map<WindowCost['window'], Map<WindowCost['key'], Line>>();
  #slotHeldMs: number | undefined;
  #scan = 0;
  #waitMs = Number.POSITIVE_INFINITY;
  #cooldownEndsAt = 0;
  #liveInARow = 0;

  constructor({ profile, maxWaiting, owner }: PacingQueueConfig<T>) {
    this.#pacer = profile && new ProfilePacer(profile, `${owner}: profile`);
    this.#clock = this.#pacer ?? new ProfilePacer({ windows: [], maxOpen: 1 });
    this.#maxWaiting = maxWaiting;
    this.#owner = owner;
  }

  /** How many wait. */
  waiting(priority: PacingPriority): number {
    return this.#waiting[priority].length;
  }

  get isEmpty(): boolean {
    return this.#waiting.live.length === 0 && this.#waiting.history.length === 0;
  }

  /** How many have passed and are not over, where the profile counts them. */
  get open(): number {
    return this.#pacer?.open ?? 0;
  }

  /** In how many milliseconds {@link first} is to be called again, after it has found nobody: `Infinity` when something else must happen. */
  get waitMs(): number {
    return this.#waitMs;
  }

  timeAt(now: number): number {
    return this.#clock.timeAt(now);
  }

  /** Queues a request. Throws what a callback of the profile throws, and `PacerFullError` if too many wait. */
  enter(item: T, kind: Pick<QueuedRequest, 'priority' | 'isPolled' | 'countsFromEnd'>, now: number): QueuedRequest {
    const { live, history } = this.#waiting;
    if (live.length + history.length >= this.#maxWaiting) throw new PacerFullError(this.#owner, this.#maxWaiting);
    const cost = this.#pacer?.price(item) ?? NO_COST;
    // Written out: spread objects are slow to make.
    const request: QueuedRequest = {
      priority: kind.priority,
      isPolled: kind.isPolled,
      countsFromEnd: kind.countsFromEnd,
      askedAt: this.timeAt(now),
      cost,
      state: 'waiting',
      waitMs: 0,
      scan: 0,
      idleSince: undefined,
      claims: [],
      lines: [],
      claimsSlot: false,
    };
    this.#waiting[kind.priority].push(request);
    return request;
  }

  /** Who may pass now. `polled` is the polled request whose owner asks; others of that kind keep their place. */
  first(now: number, polled?: QueuedRequest): QueuedRequest | undefined {
    const time = this.timeAt(now);
    this.#scan += 1;
    this.#waitMs = Number.POSITIVE_INFINITY;
    if (this.isEmpty) return undefined;
    if (time < this.#cooldownEndsAt) {
      this.#waitMs = this.#cooldownEndsAt - time;
      return undefined;
    }
    this.#slotHeldMs = undefined;
    const { live, history } = this.#waiting;
    const isTurnOfHistory = this.#liveInARow >= HISTORY_TURN - 1;
    const [one, other] = isTurnOfHistory ? [history, live] : [live, history];
    return this.#firstOf(one, time, polled) ?? this.#firstOf(other, time, polled);
  }

  /** In how many milliseconds to ask for a polled request again, after {@link first} has not found it. At least 1. */
  waitMsOf(request: QueuedRequest): number {
    return Math.max(1, request.scan === this.#scan ? request.waitMs : this.#waitMs);
  }

  /** Lets a waiting request pass: it is counted. Returns how long it has waited, in milliseconds. */
  pass(request: QueuedRequest, now: number): number {
    const time = this.timeAt(now);
    this.#remove(request);
    request.state = 'passed';
    if (request.countsFromEnd) this.#pacer?.begin(request.cost);
    else this.#pacer?.add(time, request.cost);
    const isRival = this.#waiting.history.length > 0;
    this.#liveInARow = request.priority === 'live' && isRival ? this.#liveInARow + 1 : 0;
    return time - request.askedAt;
  }

  /** A request is over: one that waits is withdrawn, one that has passed is given back. Returns whether anything has changed. */
  end(request: QueuedRequest, now: number): boolean {
    const { state, cost, countsFromEnd } = request;
    if (state === 'over') return false;
    request.state = 'over';
    if (state === 'waiting') {
      this.#remove(request);
      return true;
    }
    if (countsFromEnd) this.#pacer?.settle(this.timeAt(now), cost);
    this.#pacer?.giveBack(cost);
    return countsFromEnd || cost.isOpening;
  }

  /** Lets nothing pass for this time. Returns whether that makes anybody wait longer. */
  coolDown(ms: number, now: number): boolean {
    const endsAt = this.timeAt(now) + Math.ceil(ms);
    if (!(ms > 0) || endsAt <= this.#cooldownEndsAt) return false;
    this.#cooldownEndsAt = endsAt;
    return true;
  }

  /** In how many milliseconds a new request of weight 1 could pass, as far as the windows of single keys let it. */
  readyInMs(now: number): number {
    const coolingMs = this.#cooldownEndsAt - this.timeAt(now);
    return Math.max(0, coolingMs, this.#pacer?.readyInMs(now) ?? 0);
  }

  #firstOf(requests: QueuedRequest[], time: number, polled: QueuedRequest | undefined): QueuedRequest | undefined {
    for (let at = 0; at < requests.length; at += 1) {
      const request = requests[at]!;
      const { windows } = request.cost;
      const isFree = this.#isFree(request, time);
      request.scan = this.#scan;
      if (isFree && (!request.isPolled || request === polled)) return request;
      if (isFree) {
        request.idleSince ??= time;
        if (time - request.idleSince >= LEASE_MS) {
          this.#remove(request);
          request.state = 'over';
          at -= 1;
          continue;
        }
        request.waitMs = 1;
        this.#waitMs = Math.min(this.#waitMs, request.idleSince + LEASE_MS - time);
        for (let place = 0; place < windows.length; place += 1) this.#hold(request, place, 1);
        if (request.cost.isOpening) this.#slotHeldMs ??= 1;
      } else {
        request.idleSince = undefined;
      }
    }
    return undefined;
  }

  /** Whether a request may pass. If not, what it waits for is held back from those behind it. */
  #isFree(request: QueuedRequest, time: number): boolean {
    const { windows, isOpening } = request.cost;
    let roomMs = 0;
    let heldMs = 0;
    let isHeldByKey = false;
    for (let at = 0; at < windows.length; at += 1) {
      const cost = windows[at]!;
      if (cost.weight === 0) continue;
      const { window, key, weight } = cost;
      const waitMs = window.waitMs(time, key, weight);
      const line = request.lines[at] ?? this.#lines.get(window)?.get(key);
      const aheadMs = line?.scan === this.#scan ? line.waitMs : 0;
      roomMs = Math.max(roomMs, waitMs);
      heldMs = Math.max(heldMs, aheadMs);
      if (waitMs === 0 && aheadMs === 0) continue;
      if (window.isShared) request.claims[at] = true;
      else isHeldByKey = true;
    }
    if (isOpening && this.#slotHeldMs !== undefined) heldMs = Math.max(heldMs, this.#slotHeldMs);
    // Nobody knows how long for: meanwhile others may use the windows.
    const isShut = isOpening && this.#pacer!.isFull;
    if (isShut) roomMs = Number.POSITIVE_INFINITY;
    if (isShut || (isOpening && this.#slotHeldMs !== undefined)) request.claimsSlot = true;
    if (roomMs === 0 && heldMs === 0) return true;
    // It cannot pass before those ahead of it have: only the first in each line says when to look again.
    if (heldMs === 0) this.#waitMs = Math.min(this.#waitMs, roomMs);
    const waitMs = Math.max(roomMs, heldMs);
    request.waitMs = waitMs;
    for (let at = 0; at < windows.length; at += 1) {
      const cost = windows[at]!;
      const isClaimed = cost.window.isShared ? request.claims[at] === true && !isHeldByKey && !isShut : true;
      if (isClaimed && cost.weight > 0) this.#hold(request, at, waitMs);
    }
    if (request.claimsSlot && !isHeldByKey) this.#slotHeldMs ??= waitMs;
    return false;
  }

  /** Keeps what a request waits for from those behind it. */
  #hold(request: QueuedRequest, at: number, waitMs: number): void {
    const line = request.lines[at] ?? this.#join(request.cost.windows[at]!);
    request.lines[at] = line;
    if (line.scan === this.#scan) return;
    line.scan = this.#scan;
    line.waitMs = waitMs;
  }

  #join({ window, key }: WindowCost): Line {
    let keys = this.#lines.get(window);
    if (!keys) {
      keys = new Map();
      this.#lines.set(window, keys);
    }
    let line = keys.get(key);
    if (!line) {
      line = { scan: 0, waitMs: 0, users: 0 };
      keys.set(key, line);
    }
    line.users += 1;
    return line;
  }

  #leave({ lines, cost }: QueuedRequest): void {
    for (let at = 0; at < lines.length; at += 1) {
      const line = lines[at];
      if (!line) continue;
      line.users -= 1;
      const { window, key } = cost.windows[at]!;
      if (line.users === 0) this.#lines.get(window)?.delete(key);
    }
  }

  #remove(request: QueuedRequest): void {
    const requests = this.#waiting[request.priority];
    const at = requests.indexOf(request);
    if (at >= 0) requests.splice(at, 1);
    this.#leave(request);
  }
}
