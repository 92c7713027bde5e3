import type { SchedulerLike, Subscriber } from 'rxjs';
import { MonotonicClock } from '../primitives/monotonicClock.js';
import { Timer } from '../primitives/timer.js';
import { Wait } from '../primitives/wait.js';
import { withFallbackContext } from './context.js';
import type { Gate } from './gate.js';
import { SourceTurn } from './timeSlice.js';

/**
 * Emits one item, does one piece of work towards it, or ends the source. `false` says that there is nothing to do for
 * now: the pump rests until it is woken. An error that it throws goes downstream.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a source that never rests need not return anything.
export type Produce = () => boolean | void;

/** The owner of a pump: the downstream side of a source. */
export interface PumpHost extends Pick<Subscriber<never>, 'closed' | 'error'> {
  /** Whether it is closed, or about to be: asked before each run, where `closed` is asked before each item. */
  readonly isEnding: boolean;
}

/** Why a run has ended: nobody listens, the gate is closed, the time slice is used up, or there is nothing to do. */
type RunEnd = 'closed' | 'held' | 'over' | 'resting';

/**
 * The loop that drives a source: it calls `produce` while the gate is open, waits while it is closed, rests while there is
 * nothing to produce, and yields to the event loop as the {@link TimeSlice} of its scheduler demands. Once its host is
 * closed it never produces again.
 */
export class Pump {
  readonly #host: PumpHost;
  readonly #gate: Gate;
  readonly #produce: Produce;
  readonly #scheduler: SchedulerLike;
  readonly #turn: SourceTurn;
  readonly #atGate = new Wait();
  #state: 'resting' | 'running' | 'waiting' = 'resting';
  #woken = false;
  #clock: MonotonicClock | undefined;
  #pausedMs = 0;
  #timer: Timer | undefined;

  constructor(host: PumpHost, gate: Gate, scheduler: SchedulerLike, yieldAfterMs: number, produce: Produce) {
    this.#host = host;
    this.#gate = gate;
    this.#produce = produce;
    this.#scheduler = scheduler;
    this.#turn = new SourceTurn(scheduler, yieldAfterMs);
  }

  /** There is something to do, or may be. Harmless at any time. */
  wake(): void {
    if (this.#state === 'running') this.#woken = true;
    else if (this.#state === 'resting') this.#start();
  }

  /** See {@link Outlet.now}. */
  now(): number {
    return this.#elapsedMs() - this.#pausedMs;
  }

  /** See {@link Outlet.sleepUntil}. */
  sleepUntil(time: number): void {
    this.#timer ??= new Timer(this.#scheduler, () => this.wake());
    this.#timer.set(Math.max(0, time - this.now()));
  }

  /** Withdraws every wait. */
  cancel(): void {
    this.#atGate.cancel();
    this.#turn.cancel();
    this.#timer?.cancel();
  }

  #elapsedMs(): number {
    this.#clock ??= new MonotonicClock();
    return this.#clock.at(this.#scheduler.now());
  }

  #start(): void {
    if (this.#host.closed) return;
    if (this.#turn.mustWait) this.#yield();
    else this.#run();
  }

  #yield(): void {
    this.#state = 'waiting';
    this.#turn.wait(() => this.#run());
  }

  #run(): void {
    let end = 'closed' as RunEnd;
    this.#state = 'running';
    // What `produce` subscribes by accident (inside a `tap`, say) is not upstream of this pipeline.
    withFallbackContext(undefined, () => {
      this.#turn.run(() => {
        try {
          end = this.#loop();
        } catch (error) {
          this.#host.error(error);
        }
      });
    });
    // Not earlier: either wait may resume right here, as some schedulers run their work inside schedule().
    if (end === 'held') this.#waitAtGate();
    else if (end === 'over') this.#yield();
    else this.#state = 'resting';
  }

  #loop(): RunEnd {
    const host = this.#host;
    const gate = this.#gate;
    const turn = this.#turn;
    // What wakes the pump may be the end itself, half-way up to here: a stage downstream that flushes opens the gate.
    if (host.isEnding) return 'closed';
    while (!host.closed) {
      if (!gate.isOpen) return 'held';
      this.#woken = false;
      if (this.#produce() === false && !this.#woken) return 'resting';
      if (++turn.items >= turn.itemsPerCheck && turn.isOver() && !host.closed) return 'over';
    }
    return 'closed';
  }

  #waitAtGate(): void {
    // Time at the gate does not count, but a source that never asks for the time need not pay for reading it.
    const since = this.#clock ? this.#elapsedMs() : 0;
    this.#state = 'waiting';
    this.#atGate.begin(
      (resume) => this.#gate.whenOpen(resume),
      () => {
        if (this.#clock) this.#pausedMs += this.#elapsedMs() - since;
        this.#state = 'resting';
        this.#start();
      },
    );
  }
}
