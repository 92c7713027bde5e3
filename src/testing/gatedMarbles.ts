import type { Observable, Subscription } from 'rxjs';
import { type RunHelpers, TestScheduler } from 'rxjs/testing';
import { gatedSource, type Outlet } from '../flow/gatedSource.js';
import { GateLog, type GateLogged } from './probeGate.js';

/** The log that `expectSubscriptions` takes. */
export type SubscriptionLogs = Parameters<RunHelpers['expectSubscriptions']>[0];

/** A cold source drawn in marbles that pauses while the gate downstream is closed. */
export type GatedMarbles<T> = Observable<T> &
  GateLogged & {
    /** When it was subscribed and unsubscribed, for `expectSubscriptions`. */
    readonly subscriptions: SubscriptionLogs;
  };

type Message = ReturnType<typeof TestScheduler.parseMarbles>[number];

/** Plays a marble diagram in virtual time. While the gate is closed, the diagram is paused. */
export function gatedMarbles<T>(
  scheduler: TestScheduler,
  marbles: string,
  values?: Readonly<Record<string, T>>,
  error?: unknown,
): GatedMarbles<T> {
  const messages = TestScheduler.parseMarbles(marbles, values, error, undefined, true);
  const log = new GateLog();
  // A cold observable that never emits records the subscriptions.
  const record = scheduler.createColdObservable('');
  const source = gatedSource<T>({ name: 'gated', scheduler }, (outlet) => {
    const teardown = record.subscribe();
    teardown.add(log.follow(outlet.context.gate));
    teardown.add(new Player(outlet, messages, scheduler).start());
    return teardown;
  });
  return Object.assign(source, { gateLog$: log.gateLog$, subscriptions: record.subscriptions });
}

class Player<T> {
  readonly #outlet: Outlet<T>;
  readonly #messages: readonly Message[];
  readonly #scheduler: TestScheduler;
  /** The index of the next message. */
  #next = 0;
  /** The frame of the diagram when it last started or resumed. */
  #played = 0;
  #playingSince = 0;
  #playing = false;
  #timer: Subscription | undefined;

  constructor(outlet: Outlet<T>, messages: readonly Message[], scheduler: TestScheduler) {
    this.#outlet = outlet;
    this.#messages = messages;
    this.#scheduler = scheduler;
  }

  start(): Subscription {
    const closing = this.#outlet.context.gate.state$.subscribe((state) => {
      if (state === 'closed') this.#pause();
    });
    closing.add(() => this.#timer?.unsubscribe());
    this.#outlet.whenOpen(this.#play);
    return closing;
  }

  #pause(): void {
    if (!this.#playing) return;
    this.#playing = false;
    this.#played += this.#scheduler.now() - this.#playingSince;
    this.#timer?.unsubscribe();
    this.#outlet.whenOpen(this.#play);
  }

  readonly #play = (): void => {
    this.#playing = true;
    this.#playingSince = this.#scheduler.now();
    this.#emitDue();
  };

  readonly #emitDue = (): void => {
    this.#played += this.#scheduler.now() - this.#playingSince;
    this.#playingSince = this.#scheduler.now();
    while (this.#playing && !this.#outlet.closed) {
      const message = this.#messages[this.#next];
      if (!message) return;
      if (message.frame > this.#played) {
        this.#timer = this.#scheduler.schedule(this.#emitDue, message.frame - this.#played);
        return;
      }
      this.#next += 1;
      this.#emit(message);
    }
  };

  #emit({ notification }: Message): void {
    if (notification.kind === 'N') this.#outlet.next(notification.value as T);
    else if (notification.kind === 'E') this.#outlet.error(notification.error);
    else this.#outlet.complete();
  }
}
