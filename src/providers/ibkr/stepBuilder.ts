import type { ProviderError } from '../providerErrors.js';
import type { Frame, Hole, Refusal, Series, SessionStep } from '../session.js';

/** Collects what a session wants done after one input, and the times at which it must be woken. */
export class StepBuilder {
  #send: Frame[] | undefined;
  #elements: unknown[] | undefined;
  #confirmed: Series[] | undefined;
  #refused: Refusal[] | undefined;
  #holes: Hole[] | undefined;
  #heard: Series[] | undefined;
  #notices: string[] | undefined;
  #fail: ProviderError | undefined;
  #isReady = false;
  /** When the stream was told to wake the session. */
  #wakeAt = Number.POSITIVE_INFINITY;
  #isWakeNew = false;

  send(frame: Frame): void {
    this.#send ??= [];
    this.#send.push(frame);
  }

  element(element: unknown): void {
    this.#elements ??= [];
    this.#elements.push(element);
  }

  confirm(series: Series): void {
    this.#confirmed ??= [];
    this.#confirmed.push(series);
  }

  /** Says that subscriptions are under way: they wait for the vendor's limits, so the stream must not give them up. */
  underWay(): void {
    this.#confirmed ??= [];
  }

  refuse(series: Series, error: ProviderError): void {
    this.#refused ??= [];
    this.#refused.push({ series, error });
  }

  hole(hole: Hole): void {
    this.#holes ??= [];
    this.#holes.push(hole);
  }

  /** Data came of a series whose records do not have its symbol. */
  hear(series: Series): void {
    this.#heard ??= [];
    this.#heard.push(series);
  }

  notice(text: string): void {
    this.#notices ??= [];
    this.#notices.push(text);
  }

  /** The first failure counts. */
  fail(error: ProviderError): void {
    this.#fail ??= error;
  }

  ready(): void {
    this.#isReady = true;
  }

  /** Wakes the session at `at`, unless it is woken before. */
  wake(at: number): void {
    if (at >= this.#wakeAt) return;
    this.#wakeAt = at;
    this.#isWakeNew = true;
  }

  /** The session is awake: what it waits for further, it says again. */
  woken(): void {
    this.#wakeAt = Number.POSITIVE_INFINITY;
  }

  take(): SessionStep {
    const step: { -readonly [K in keyof SessionStep]: SessionStep[K] } = {};
    if (this.#send) step.send = this.#send;
    if (this.#elements) step.elements = this.#elements;
    if (this.#confirmed) step.confirmed = this.#confirmed;
    if (this.#refused) step.refused = this.#refused;
    if (this.#holes) step.holes = this.#holes;
    if (this.#heard) step.heard = this.#heard;
    if (this.#notices) step.notices = this.#notices;
    if (this.#fail) step.fail = this.#fail;
    if (this.#isReady) step.isReady = true;
    if (this.#isWakeNew) step.wakeAt = this.#wakeAt;
    this.#send = undefined;
    this.#elements = undefined;
    this.#confirmed = undefined;
    this.#refused = undefined;
    this.#holes = undefined;
    this.#heard = undefined;
    this.#notices = undefined;
    this.#isReady = false;
    this.#isWakeNew = false;
    return step;
  }
}
