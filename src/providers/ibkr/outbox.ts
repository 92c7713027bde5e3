import { isPacerFullError } from '../../policies/pacerFull.js';
import { ProfilePacer } from '../../policies/pacingProfile.js';
import type { PacerTicket, SharedPacer } from '../../policies/sharedPacer.js';
import type { Frame } from '../session.js';
import { FREE, type IbkrRequestCost, ibkrPacer, MESSAGE_PACING } from './pacing.js';
import type { StepBuilder } from './stepBuilder.js';

/** A request that is sent as soon as the limits allow. */
export interface Outgoing {
  readonly id: number;
  readonly frame: Frame;
  readonly cost: IbkrRequestCost;
  /** Not before this time. */
  readonly notBefore: number;
  readonly onSent: (now: number) => void;
}

/** A request that waits. */
interface Waiting {
  readonly outgoing: Outgoing;
  /** When it may be looked at again. */
  lookAt: number;
  ticket: PacerTicket | undefined;
}

/** How long to wait where too many others wait. */
const FULL_MS = 1_000;

/**
 * What goes to TWS: signs of life and cancellations first, then requests, each within the limits. A request that its own limit
 * holds back does not hold up the others.
 */
export class Outbox {
  readonly #out: StepBuilder;
  readonly #messages = new ProfilePacer(MESSAGE_PACING, 'ibkr: messages');
  readonly #requests: SharedPacer<IbkrRequestCost>;
  #urgent: Frame[] = [];
  #waiting: Waiting[] = [];
  #pausedUntil = Number.NEGATIVE_INFINITY;

  /** The limits of messages are of a connection; those of requests hold for all connections that share `requests`. */
  constructor(out: StepBuilder, requests: SharedPacer<IbkrRequestCost> = ibkrPacer()) {
    this.#out = out;
    this.#requests = requests;
  }

  /** How many requests wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Counts a message that the client has sent by itself. */
  sentOutside(now: number): void {
    this.#messages.take(now, this.#messages.price(undefined));
  }

  urgent(frame: Frame): void {
    this.#urgent.push(frame);
  }

  request(outgoing: Outgoing): void {
    this.#waiting.push({ outgoing, lookAt: outgoing.notBefore, ticket: undefined });
  }

  /** Takes a request back. Returns whether it had not been sent. */
  withdraw(id: number): boolean {
    const at = this.#waiting.findIndex(({ outgoing }) => outgoing.id === id);
    if (at >= 0) this.#waiting.splice(at, 1)[0]?.ticket?.end();
    return at >= 0;
  }

  /** Sends no request before `until`; signs of life and cancellations go on. */
  pause(until: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, until);
  }

  /** The vendor's word that there were too many requests: it holds for all connections that share the limits. */
  coolDown(ms: number, now: number): void {
    this.#requests.coolDown(ms, now);
  }

  clear(): void {
    for (const { ticket } of this.#waiting) ticket?.end();
    this.#urgent = [];
    this.#waiting = [];
  }

  /** Sends what may be sent, and asks to be woken for the rest. */
  flush(now: number): void {
    while (this.#urgent.length > 0) {
      if (!this.#mayMessage(now)) return;
      this.#out.send(this.#urgent.shift()!);
    }
    if (this.#waiting.length === 0) return;
    if (now < this.#pausedUntil) {
      this.#out.wake(this.#pausedUntil);
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    let at = 0;
    for (; at < waiting.length; at += 1) {
      const one = waiting[at]!;
      const { outgoing } = one;
      if (!this.#mayMessage(now, false)) break;
      if (one.lookAt <= now) one.lookAt = now + this.#waitMs(one, now);
      if (one.lookAt > now) {
        this.#out.wake(one.lookAt);
        this.#waiting.push(one);
        continue;
      }
      one.ticket?.end();
      this.#mayMessage(now);
      this.#out.send(outgoing.frame);
      outgoing.onSent(now);
    }
    // In their order, and behind them what `onSent` may have asked for.
    if (at < waiting.length) this.#waiting.push(...waiting.slice(at));
  }

  /** How long the limits of requests still hold it up. */
  #waitMs(one: Waiting, now: number): number {
    if (one.outgoing.cost === FREE) return 0;
    try {
      const { ticket, waitMs } = this.#requests.poll(one.outgoing.cost, 'live', now, one.ticket);
      one.ticket = ticket;
      return waitMs;
    } catch (error) {
      if (isPacerFullError(error)) return FULL_MS;
      throw error;
    }
  }

  /** Whether one more message may go out now; it is counted, unless `isSent` is false. */
  #mayMessage(now: number, isSent = true): boolean {
    const waitMs = isSent ? this.#messages.take(now, this.#messages.price(undefined)) : this.#messages.readyInMs(now);
    if (waitMs > 0) this.#out.wake(now + waitMs);
    return waitMs === 0;
  }
}
