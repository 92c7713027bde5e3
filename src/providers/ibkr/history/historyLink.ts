import type { SchedulerLike } from 'rxjs';
import type { SharedPacer } from '../../../policies/sharedPacer.js';
import { messageOf } from '../../../primitives/messageOf.js';
import { Timer } from '../../../primitives/timer.js';
import type { Connect, Connection } from '../../provider.js';
import { ConnectionLost, isProviderError, type ProviderError } from '../../providerErrors.js';
import type { Frame, SessionStep } from '../../session.js';
import type { Entry } from '../contractBook.js';
import type { KnownContract } from '../contracts.js';
import { Dialogue, type DialogueConfig, type DialogueHandler } from '../dialogue.js';
import type { GatewayEvent } from '../frames.js';
import { type Fate, historyVerdict } from '../gatewayCodes.js';
import { gatewayError, NAME } from '../gatewayErrors.js';
import { FREE, type IbkrRequestCost, ibkrPacer } from '../pacing.js';
import { StepBuilder } from '../stepBuilder.js';
import type { HistoryJob } from './historyJob.js';

export interface HistoryLinkConfig {
  readonly dialogue: DialogueConfig;
  readonly connect: Connect;
  readonly scheduler: SchedulerLike;
  /** How long a connection may take until requests can be made. */
  readonly connectTimeoutMs: number;
  /** How long an answer may take after its request, in milliseconds. */
  readonly timeoutMs: number;
  readonly onNotice: ((notice: string) => void) | undefined;
}

interface Settle<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** What became of a request: TWS has answered it, has lost it, or has refused it for the limits. */
type Outcome = 'answered' | 'lost' | 'tooMany';

interface Running extends Settle<Outcome> {
  readonly job: HistoryJob<unknown>;
  /** How often TWS has refused it for the limits. */
  readonly failures: number;
  cancel: Frame | undefined;
  dueAt: number;
}

/** After a pacing violation nothing is asked for this time, doubled each time, */
const COOLDOWN_MS = 15_000;
/** and that often. */
const MAX_COOLDOWNS = 6;

/** A connection to TWS for requests of the past: the rim between the pure dialogue and promises. */
export class HistoryLink implements DialogueHandler {
  readonly #config: HistoryLinkConfig;
  readonly #out = new StepBuilder();
  readonly #dialogue: Dialogue;
  readonly #connection: Connection;
  readonly #wake: Timer;
  readonly #connecting: Timer;
  readonly #running = new Map<number, Running>();
  readonly #lookups = new Map<string, Settle<Entry>[]>();
  #readiness: Settle<void>[] = [];
  /** Ends the waits for the limits. */
  readonly #over = new AbortController();
  readonly #pacer: SharedPacer<IbkrRequestCost>;
  #isReady = false;
  /** Why it is over. */
  #error: ProviderError | undefined;

  constructor(config: HistoryLinkConfig) {
    const { scheduler, connectTimeoutMs } = config;
    this.#config = config;
    this.#pacer = config.dialogue.requests ?? ibkrPacer({ scheduler });
    this.#dialogue = new Dialogue(config.dialogue, this.#out, this);
    this.#wake = new Timer(scheduler, () => this.#do((now) => this.#dialogue.timer(now)));
    this.#connecting = new Timer(scheduler, () =>
      this.close(new ConnectionLost(NAME, `the connection for history was not ready within ${connectTimeoutMs} ms`)),
    );
    this.#connecting.set(connectTimeoutMs);
    this.#connection = config.connect({
      opened: () => this.#do((now) => this.#dialogue.opened(now)),
      frame: (frame) => this.#do((now) => this.#dialogue.frame(frame, now)),
      alive: () => {},
      closed: (error) =>
        this.close(isProviderError(error) ? error : new ConnectionLost(NAME, messageOf(error), { cause: error })),
    });
  }

  get isOver(): boolean {
    return this.#error !== undefined;
  }

  /** The contract of a symbol. */
  async contract(symbol: string, signal: AbortSignal): Promise<KnownContract> {
    await this.#ready(signal);
    let entry: Entry | undefined;
    this.#do((now) => {
      entry = this.#dialogue.lookUp(symbol, now);
    });
    if (entry?.is === 'asked') {
      entry = await this.#wait<Entry>(signal, (settle) => {
        this.#lookups.set(symbol, [...(this.#lookups.get(symbol) ?? []), settle]);
      });
    }
    if (entry?.is !== 'known') throw entry?.is === 'refused' ? entry.error : this.#error;
    return entry.contract;
  }

  /** Makes a request, as soon as the limits allow, and waits for its answer. */
  async run<T>(job: HistoryJob<T>, signal: AbortSignal): Promise<T> {
    await this.#ready(signal);
    let failures = 0;
    for (;;) {
      const turn = await this.#pacer.turn(job.cost, { signal: AbortSignal.any([signal, this.#over.signal]) });
      let running: Running | undefined;
      try {
        const outcome = await this.#wait<Outcome>(signal, (settle) => {
          running = { ...settle, job, cancel: undefined, failures, dueAt: Number.POSITIVE_INFINITY };
          const one = running;
          this.#do((now) => this.#ask(one, now));
        });
        if (outcome === 'answered') return job.result();
        if (outcome === 'tooMany') failures += 1;
      } finally {
        if (running) this.#release(running);
        turn.end();
      }
    }
  }

  /** Ends it; what is under way is rejected. */
  close(error: ProviderError = new ConnectionLost(NAME, 'the connection for history was closed')): void {
    if (this.#error) return;
    this.#error = error;
    this.#wake.cancel();
    this.#connecting.cancel();
    this.#connection?.close();
    const waiting = [...this.#readiness, ...this.#running.values(), ...[...this.#lookups.values()].flat()];
    this.#readiness = [];
    this.#over.abort(error);
    this.#running.clear();
    this.#lookups.clear();
    for (const { reject } of waiting) reject(error);
  }

  ready(): void {
    this.#isReady = true;
    this.#connecting.cancel();
    const waiting = this.#readiness;
    this.#readiness = [];
    for (const { resolve } of waiting) resolve();
  }

  settled(symbol: string, entry: Entry): void {
    const waiting = this.#lookups.get(symbol) ?? [];
    this.#lookups.delete(symbol);
    for (const { resolve } of waiting) resolve(entry);
  }

  event(event: GatewayEvent): boolean {
    const [name, id] = event;
    for (const [at, running] of this.#running) {
      const { answeredBy } = running.job;
      if (answeredBy === undefined ? at !== id : answeredBy !== name) continue;
      if (running.job.take(event)) {
        this.#running.delete(at);
        running.resolve('answered');
      }
      return true;
    }
    return true;
  }

  requestFailed(id: number, code: number, text: string, fate: Fate | undefined, now: number): void {
    const running = this.#running.get(id);
    if (!running) return;
    const verdict = code === 162 ? historyVerdict(text) : undefined;
    const error = gatewayError(code, text, running.job.about);
    this.#running.delete(id);
    if (verdict === 'empty') {
      running.resolve('answered');
    } else if ((verdict === 'pacing' || fate === 'throttle') && running.failures < MAX_COOLDOWNS) {
      const waitMs = COOLDOWN_MS * 2 ** running.failures;
      this.#out.notice(`${error.message}; nothing is asked for ${waitMs / 1_000} s`);
      this.#pacer.coolDown(waitMs, now);
      running.resolve('tooMany');
    } else {
      running.reject(error);
    }
  }

  /** Requests that TWS has lost are made again. */
  restored(isKept: boolean): void {
    if (isKept) return;
    const lost = [...this.#running].filter(([, { dueAt }]) => dueAt < Number.POSITIVE_INFINITY);
    for (const [id, running] of lost) {
      this.#running.delete(id);
      running.resolve('lost');
    }
  }

  farmRestored(): void {}

  beatHeard(): void {}

  check(now: number): void {
    for (const running of [...this.#running.values()]) {
      if (now < running.dueAt) {
        this.#out.wake(running.dueAt);
        continue;
      }
      this.#release(running);
      const words = `${running.job.about}: no answer within ${this.#config.timeoutMs} ms`;
      running.reject(new ConnectionLost(NAME, words));
    }
  }

  #ask(running: Running, now: number): void {
    const id = this.#dialogue.nextId();
    const { frame, cancel } = running.job.request(id);
    running.cancel = cancel;
    running.dueAt = Number.POSITIVE_INFINITY;
    this.#running.set(id, running);
    const onSent = (sentAt: number) => {
      running.dueAt = sentAt + this.#config.timeoutMs;
      this.#out.wake(running.dueAt);
    };
    this.#dialogue.outbox.request({ id, frame, cost: FREE, notBefore: now, onSent });
    this.#dialogue.outbox.flush(now);
  }

  /** The request is no longer wanted: it is cancelled if it is still under way. */
  #release(running: Running): void {
    for (const [id, other] of this.#running) {
      if (other !== running) continue;
      this.#running.delete(id);
      const wasSent = !this.#dialogue.outbox.withdraw(id);
      if (wasSent && running.cancel) {
        this.#dialogue.outbox.urgent(running.cancel);
        this.#do((now) => this.#dialogue.outbox.flush(now));
      }
      return;
    }
  }

  #ready(signal: AbortSignal): Promise<void> {
    if (this.#isReady && !this.#error) return Promise.resolve();
    return this.#wait<void>(signal, (settle) => this.#readiness.push(settle));
  }

  /** Waits for something that `begin` starts; ends with the link, or with the signal. */
  #wait<T>(signal: AbortSignal, begin: (settle: Settle<T>) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#error) {
        reject(this.#error);
        return;
      }
      const abort = () => reject(signal.reason);
      if (signal.aborted) {
        abort();
        return;
      }
      signal.addEventListener('abort', abort, { once: true });
      const heard = <A>(settle: (value: A) => void) => {
        return (value: A) => {
          signal.removeEventListener('abort', abort);
          settle(value);
        };
      };
      begin({ resolve: heard(resolve as (value: T) => void), reject: heard(reject) });
    });
  }

  #do(work: (now: number) => void): void {
    if (this.#error) return;
    try {
      work(this.#config.scheduler.now());
      this.#carryOut(this.#out.take());
    } catch (error) {
      this.close(new ConnectionLost(NAME, messageOf(error), { cause: error }));
    }
  }

  #carryOut(step: SessionStep): void {
    for (const frame of step.send ?? []) this.#connection.send(frame);
    for (const notice of step.notices ?? []) this.#config.onNotice?.(notice);
    if (step.fail) this.close(step.fail);
    else if (step.wakeAt !== undefined) this.#wake.set(Math.max(0, step.wakeAt - this.#config.scheduler.now()));
  }
}
