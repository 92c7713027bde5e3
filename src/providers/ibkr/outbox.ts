import { ProfilePacer } from '../../policies/pacingProfile.js';
import type { Frame } from '../session.js';
import { MESSAGE_PACING, type RequestCost, requestPacer } from './pacing.js';
import type { StepBuilder } from './stepBuilder.js';

/** A request that is sent as soon as the limits allow. */
export interface Outgoing {
  readonly id: number;
  readonly frame: Frame;
  readonly cost: RequestCost;
  /** Not before this time. */
  readonly notBefore: number;
  readonly onSent: (now: number) => void;
}

/**
 * What goes to TWS: signs of life and cancellations first, then requests, each within the limits. A request that its own limit
 * holds back does not hold up the others.
 */
export class Outbox {
  readonly #out: StepBuilder;
  readonly #messages = new ProfilePacer(MESSAGE_PACING, 'ibkr: messages');
  readonly #requests: ProfilePacer<RequestCost>;
  #urgent: Frame[] = [];
  #waiting: Outgoing[] = [];
  #pausedUntil = Number.NEGATIVE_INFINITY;

  /** The limits of messages are of a connection; those of requests hold for all connections that share `requests`. */
  constructor(out: StepBuilder, requests: ProfilePacer<RequestCost> = requestPacer()) {
    this.#out = out;
    this.#requests = requests;
  }

  /** How many requests wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  urgent(frame: Frame): void {
    this.#urgent.push(frame);
  }

  request(outgoing: Outgoing): void {
    this.#waiting.push(outgoing);
  }

  /** Takes a request back. Returns whether it had not been sent. */
  withdraw(id: number): boolean {
    const at = this.#waiting.findIndex((outgoing) => outgoing.id === id);
    if (at >= 0) this.#waiting.splice(at, 1);
    return at >= 0;
  }

  /** Sends no request before `until`; signs of life and cancellations go on. */
  pause(until: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, until);
  }

  clear(): void {
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
      const outgoing = waiting[at]!;
      if (!this.#mayMessage(now, false)) break;
      const waitMs =
        Math.max(outgoing.notBefore - now, 0) || this.#requests.take(now, this.#requests.price(outgoing.cost));
      if (waitMs > 0) {
        this.#out.wake(now + waitMs);
        this.#waiting.push(outgoing);
        continue;
      }
      this.#mayMessage(now);
      this.#out.send(outgoing.frame);
      outgoing.onSent(now);
    }
    // In their order, and behind them what `onSent` may have asked for.
    if (at < waiting.length) this.#waiting.push(...waiting.slice(at));
  }

  /** Whether one more message may go out now; it is counted, unless `isSent` is false. */
  #mayMessage(now: number, isSent = true): boolean {
    const waitMs = isSent ? this.#messages.take(now, this.#messages.price(undefined)) : this.#messages.readyInMs(now);
    if (waitMs > 0) this.#out.wake(now + waitMs);
    return waitMs === 0;
  }
}
