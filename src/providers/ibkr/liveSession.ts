import { type ProviderError, UnknownInstrument } from '../providerErrors.js';
import type { Frame, ProviderSession, Series, SessionStep } from '../session.js';
import type { Entry } from './contractBook.js';
import { Dialogue, type DialogueConfig, type DialogueHandler } from './dialogue.js';
import type { GatewayEvent } from './frames.js';
import { type Fate, historyVerdict } from './gatewayCodes.js';
import { gatewayError, NAME } from './gatewayErrors.js';
import { handleLive, isLiveEvent } from './liveData.js';
import { type LiveConfig, liveRequest } from './liveRequests.js';
import { LiveSeries, RETRY_MS } from './liveSeries.js';
import { StepBuilder } from './stepBuilder.js';
import { TickMemory } from './tickMemory.js';

export interface LiveSessionConfig extends DialogueConfig, LiveConfig {}

/** Tick-by-tick requests that are refused are made again that often before the series is. */
const MAX_TICK_RETRIES = 2;
const TICKS_REFUSED: ReadonlySet<number> = new Set([10189, 10190]);
/** How often it is looked at what waits for the limits, or has fallen silent. */
const CHECK_MS = 5_000;

/** The session of a connection to TWS or IB Gateway: live series. */
export class LiveSession implements ProviderSession, DialogueHandler {
  readonly #out = new StepBuilder();
  readonly #config: LiveSessionConfig;
  readonly #dialogue: Dialogue;
  readonly #memory: TickMemory;
  readonly #series = new Map<string, LiveSeries>();
  readonly #byId = new Map<number, LiveSeries>();

  /** `memory` is shared by the sessions of one stream, one after the other. */
  constructor(config: LiveSessionConfig, memory = new TickMemory()) {
    this.#config = config;
    this.#memory = memory;
    this.#dialogue = new Dialogue(config, this.#out, this);
  }

  opened(now: number): SessionStep {
    this.#dialogue.opened(now);
    return this.#out.take();
  }

  frame(frame: Frame, now: number): SessionStep {
    this.#dialogue.frame(frame, now);
    return this.#out.take();
  }

  subscribe(series: readonly Series[], now: number): SessionStep {
    for (const one of series) {
      const key = keyOf(one);
      if (this.#series.has(key)) continue;
      const live = new LiveSeries(one, this.#out, this.#config, this.#memory.claim(key, this, now));
      this.#series.set(key, live);
      this.#enter(live, this.#dialogue.lookUp(one.symbol, now), now);
    }
    this.#dialogue.outbox.flush(now);
    return this.#out.take();
  }

  unsubscribe(series: readonly Series[], now: number): SessionStep {
    for (const one of series) {
      const live = this.#series.get(keyOf(one));
      if (!live) continue;
      this.#series.delete(keyOf(one));
      this.#memory.forget(keyOf(one));
      this.#release(live, true);
    }
    this.#dialogue.outbox.flush(now);
    return this.#out.take();
  }

  /** Of the stream, which takes the step; the dialogue calls {@link check}. */
  timer(now: number): SessionStep {
    this.#dialogue.timer(now);
    return this.#out.take();
  }

  ready(now: number): void {
    this.#out.wake(now + CHECK_MS);
  }

  settled(symbol: string, entry: Entry, now: number): void {
    for (const live of [...this.#series.values()]) {
      if (live.series.symbol === symbol && !live.contract) this.#enter(live, entry, now);
    }
  }

  event(event: GatewayEvent, now: number): boolean {
    const id = Number(event[1]);
    const live = this.#byId.get(id);
    if (!live) return isLiveEvent(event[0]) ? this.#isRetired(id) : isLate(event[0]) && this.#isRetired(id);
    const { of } = live.series;
    if (event[0] === 'fundamentalData') {
      live.heard(now);
      live.noteTime(now);
      this.#out.hear(live.series);
      this.#out.element(['fundamental', live.series.symbol, live.contract!.currency, event[2]]);
      this.#release(live, false);
    } else if (event[0] === 'tickSnapshotEnd') {
      live.confirm();
      live.emitOption(now);
      this.#release(live, false);
      if (of === 'option') this.#askLater(live, now + (this.#config.optionSnapshotEveryMs ?? RETRY_MS));
    } else {
      return handleLive(live, event, now, this.#out, this.#config);
    }
    return true;
  }

  requestFailed(id: number, code: number, text: string, fate: Fate | undefined, now: number): void {
    const live = this.#byId.get(id);
    if (!live) {
      if (!this.#isRetired(id)) this.#out.element(['unreadable', 'error', text, code, id]);
      return;
    }
    const error = gatewayError(code, text, live.series.symbol);
    const isTickRetry = TICKS_REFUSED.has(code) && live.failures < MAX_TICK_RETRIES;
    if (fate === 'resubscribe') {
      this.#out.notice(error.message);
      live.openHole(text);
      this.#askAgain(live, now);
    } else if (isTickRetry || fate === 'throttle' || (fate === 'history' && historyVerdict(text) !== 'entitlement')) {
      this.#out.notice(error.message);
      live.openHole(text);
      const waitMs = live.retryMs();
      if (historyVerdict(text) === 'pacing') this.#dialogue.outbox.coolDown(waitMs, now);
      this.#askLater(live, now + waitMs);
    } else {
      this.#refuse(live, error);
    }
  }

  /** Its connection is over: what waits for the limits makes room for others. */
  abandon(): void {
    this.#dialogue.outbox.clear();
  }

  restored(isKept: boolean, now: number): void {
    for (const live of this.#series.values()) {
      live.openHole(`TWS had lost the servers of IBKR; subscriptions were ${isKept ? 'kept' : 'lost'}`);
      // What had been sent is lost; what waits to be sent, or for its time, is not.
      if (!isKept && live.id !== 0 && live.sentAt <= now) this.#askAgain(live, now);
    }
  }

  farmRestored(): void {
    for (const live of this.#series.values()) live.openHole('a market data farm was not connected');
  }

  beatHeard(number: number): void {
    for (const live of this.#byId.values()) if (live.beat <= number) live.confirm();
  }

  check(now: number): void {
    const { outbox } = this.#dialogue;
    this.#memory.tidy(this, now);
    this.#askForConfirmation(now);
    let isWaiting = outbox.waiting > 0;
    for (const live of [...this.#series.values()]) {
      if (live.isLate(now)) {
        this.#out.notice(`${live.series.symbol}: TWS did not answer the request of ${live.series.of}`);
        this.#askLater(live, now + live.retryMs());
      } else if (live.isMute(now)) {
        this.#out.notice(`${live.series.symbol}: no real-time bars while it trades: they are asked for again`);
        live.failures += 1;
        live.openHole('real-time bars stopped without a word');
        if (live.cancel) outbox.urgent(live.cancel);
        this.#askAgain(live, now);
      }
      if (now >= live.askAt) this.#ask(live, now);
      isWaiting ||= !live.isConfirmed && live.askAt < Number.POSITIVE_INFINITY;
      live.timer(now, this.#dialogue.upUntil);
    }
    // What waits for the limits is not late.
    if (isWaiting) this.#out.underWay();
    this.#out.wake(now + CHECK_MS);
  }

  #askForConfirmation(now: number): void {
    let beat: number | undefined;
    for (const live of this.#byId.values()) {
      if (!live.isQuiet(now)) continue;
      beat ??= this.#dialogue.beat(now);
      live.beat = beat;
    }
  }

  #enter(live: LiveSeries, entry: Entry, now: number): void {
    if (entry.is === 'refused') {
      this.#refuse(live, entry.error);
    } else if (entry.is === 'known') {
      live.begin(entry.contract);
      this.#ask(live, now);
    }
  }

  #ask(live: LiveSeries, now: number): void {
    const id = this.#dialogue.nextId();
    const made = liveRequest(id, live.series, live.contract!, this.#config);
    if (typeof made === 'string') {
      this.#refuse(live, new UnknownInstrument(NAME, made));
      return;
    }
    live.id = id;
    live.askAt = Number.POSITIVE_INFINITY;
    live.sentAt = Number.POSITIVE_INFINITY;
    live.beat = Number.POSITIVE_INFINITY;
    live.cancel = made.cancel;
    this.#byId.set(id, live);
    const onSent = (sentAt: number) => {
      live.sentAt = sentAt;
      live.timer(sentAt, this.#dialogue.upUntil);
    };
    this.#dialogue.outbox.request({ id, frame: made.frame, cost: made.cost, notBefore: now, onSent });
    this.#dialogue.outbox.flush(now);
  }

  #askAgain(live: LiveSeries, now: number): void {
    this.#release(live, false);
    this.#ask(live, now);
  }

  /** The request is no longer under way; it is made again at `at`. */
  #askLater(live: LiveSeries, at: number): void {
    this.#release(live, false);
    live.askAt = at;
    this.#out.wake(at);
  }

  #release(live: LiveSeries, isCancelled: boolean): void {
    if (live.id === 0) return;
    const wasWaiting = this.#dialogue.outbox.withdraw(live.id);
    if (isCancelled && !wasWaiting && live.cancel) this.#dialogue.outbox.urgent(live.cancel);
    this.#byId.delete(live.id);
    live.id = 0;
  }

  #refuse(live: LiveSeries, error: ProviderError): void {
    this.#release(live, false);
    this.#series.delete(keyOf(live.series));
    this.#memory.release(keyOf(live.series));
    this.#out.refuse(live.series, error);
  }

  /** Whether a request of that id was made and is over: data of it may still come. */
  #isRetired(id: number): boolean {
    return id > 0 && id <= this.#dialogue.lastId;
  }
}

const keyOf = ({ of, symbol, timeframe = '' }: Series): string => `${of}\u0000${symbol}\u0000${timeframe}`;

const isLate = (name: string): boolean => name === 'fundamentalData' || name === 'tickSnapshotEnd';
