import { Timer } from '../../primitives/timer.js';
import type { Connection, ProviderParts } from '../provider.js';
import { ConnectionLost, isProviderError, type ProviderError } from '../providerErrors.js';
import type { Frame, ProviderSession, Series, SessionStep } from '../session.js';
import type { StreamSettings } from '../streamConfig.js';
import { Sender } from './sender.js';
import type { SeriesState } from './seriesTable.js';
import { SilentChecks } from './silentChecks.js';
import { lostBy } from './streamErrors.js';
import type { Turns } from './turns.js';

/** The stream that a connection belongs to. */
export interface LinkHost {
  readonly parts: ProviderParts;
  readonly settings: StreamSettings;
  readonly turns: Turns;
  /** What the session has found in an input, before what it wants to end is ended. */
  onStep(link: Link, step: SessionStep, now: number): void;
  onFrame(frame: Frame, now: number): void;
  /** The vendor takes subscriptions. */
  onReady(link: Link): void;
  /** Frames that waited for the pacing are sent. */
  onDrained(link: Link): void;
  /** Called once; everything is released. */
  onOver(link: Link, error: ProviderError): void;
  /** Nothing more will come, from any connection. */
  finish(): void;
  /** The same, because it cannot. */
  fail(error: unknown): void;
}

/** One connection with its session: carries out what the session wants, and ends when it gives no sign of life. */
export class Link {
  /** From 1, in the order of the attempts. */
  readonly number: number;
  /** Series that were asked here and not answered yet. */
  readonly pending = new Set<SeriesState>();
  /** How many of the series that are wanted are confirmed here. */
  confirmed = 0;
  isReady = false;
  isOver = false;
  /** When it was opened, in epoch milliseconds; `undefined` before that. */
  openedAt: number | undefined;
  /** Whether a record came over it. */
  hasData = false;
  /** Whether it is ended because of what it did not confirm: it may have carried data, and is a failure all the same. */
  isAtFault = false;
  readonly #host: LinkHost;
  readonly #sender: Sender;
  readonly #timers: readonly Timer[];
  readonly #wake: Timer;
  readonly #connecting: Timer;
  readonly #ping: Timer;
  readonly #dead: Timer;
  #session: ProviderSession | undefined;
  #connection: Connection | undefined;
  #signs = 0;
  #signsSeen = 0;
  readonly #silence: SilentChecks;

  constructor(host: LinkHost, number: number) {
    const { parts, settings, turns } = host;
    const { scheduler } = settings;
    this.#host = host;
    this.number = number;
    this.#silence = new SilentChecks(settings.deadAfterMs);
    const timer = (fire: () => void) => new Timer(scheduler, () => turns.run(() => this.#attempt(fire)));
    this.#wake = timer(() => this.#step(this.#session!.timer(scheduler.now()), scheduler.now()));
    this.#connecting = timer(() => this.end(this.#lateError()));
    this.#ping = timer(() => this.#sendPing());
    this.#dead = timer(() => this.#checkLife());
    this.#timers = [this.#wake, this.#connecting, this.#ping, this.#dead];
    this.#sender = new Sender({
      owner: `${parts.name}: pacing.messages`,
      profile: parts.pacing.messages,
      scheduler,
      send: (frame) => this.#connection!.send(frame),
      onDrained: () => turns.run(() => this.#attempt(() => this.isOver || host.onDrained(this))),
      onError: (error) => turns.run(() => this.#fail(error)),
    });
  }

  /** Whether nothing waits to be sent. */
  get isIdle(): boolean {
    return this.#sender.isIdle;
  }

  /** Opens the connection. Call it in a turn. */
  open(connect: ProviderParts['connect']): void {
    const { parts, settings, turns } = this.#host;
    const { scheduler } = settings;
    this.#attempt(() => {
      this.#session = parts.session();
      this.#connecting.set(settings.connectTimeoutMs);
      this.#connection = connect({
        opened: () => turns.run(() => this.#attempt(() => this.#opened(scheduler.now()))),
        frame: (frame, receivedAt) => turns.runWith(this.#frame, frame, receivedAt),
        alive: () => {
          this.#signs += 1;
        },
        closed: (error) => turns.run(() => this.#fail(error)),
        finished: (error) => turns.run(() => this.#finished(error)),
      });
    });
    // It failed, or was closed, before there was something to close.
    if (this.isOver) this.#connection?.close();
  }

  /** Whether the transport can wait while downstream is full. */
  get canPause(): boolean {
    return this.#connection?.pause !== undefined && this.#connection.resume !== undefined;
  }

  /** Has such a transport wait, or go on. */
  set isPaused(isPaused: boolean) {
    this.#attempt(() => (isPaused ? this.#connection?.pause?.() : this.#connection?.resume?.()));
  }

  subscribe(series: readonly Series[], now: number): void {
    this.#attempt(() => this.#step(this.#session!.subscribe(series, now), now));
  }

  unsubscribe(series: readonly Series[], now: number): void {
    this.#attempt(() => this.#step(this.#session!.unsubscribe(series, now), now));
  }

  /** Ends it, and tells the stream why. */
  end(error: ProviderError): void {
    if (this.isOver) return;
    this.close();
    this.#host.onOver(this, error);
  }

  /** Releases everything, and tells nobody. */
  close(): void {
    this.isOver = true;
    this.pending.clear();
    for (const timer of this.#timers) timer.cancel();
    this.#sender.cancel();
    const connection = this.#connection;
    this.#connection = undefined;
    try {
      connection?.close();
    } catch {
      // A transport that cannot be closed must not keep the next attempt from being made.
    }
  }

  #opened(now: number): void {
    if (this.isOver || this.openedAt !== undefined) return;
    const { pingEveryMs } = this.#host.settings;
    this.openedAt = now;
    this.#ping.set(pingEveryMs);
    this.#dead.set(this.#silence.everyMs);
    this.#step(this.#session!.opened(now), now);
  }

  #finished(error: unknown): void {
    if (this.isOver) return;
    if (error === undefined) this.#host.finish();
    else this.#host.fail(error);
  }

  readonly #frame = (frame: Frame, receivedAt: number | undefined): void => {
    if (this.isOver) return;
    this.#signs += 1;
    const now = receivedAt ?? this.#host.settings.scheduler.now();
    this.#host.onFrame(frame, now);
    let step: SessionStep;
    try {
      step = this.#session!.frame(frame, now);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#step(step, now);
  };

  #step(step: SessionStep, now: number): void {
    if (this.isOver) return;
    if (step.send) this.#sender.push(step.send);
    this.#host.onStep(this, step, now);
    if (this.isOver) return;
    if (step.wakeAt === Number.POSITIVE_INFINITY) this.#wake.cancel();
    else if (step.wakeAt !== undefined) this.#wake.set(Math.max(0, step.wakeAt - now));
    if (step.fail) {
      this.end(step.fail);
    } else if (step.isReady && !this.isReady) {
      this.isReady = true;
      this.#connecting.cancel();
      this.#host.onReady(this);
    }
  }

  #sendPing(): void {
    this.#ping.set(this.#host.settings.pingEveryMs);
    this.#connection?.ping?.();
  }

  #checkLife(): void {
    const { parts, settings } = this.#host;
    const isSilent = this.#signs === this.#signsSeen;
    this.#signsSeen = this.#signs;
    if (!this.#silence.isOver(isSilent)) this.#dead.set(this.#silence.everyMs);
    else this.end(new ConnectionLost(parts.name, `the connection gave no sign of life for ${settings.deadAfterMs} ms`));
  }

  #lateError(): ProviderError {
    const { parts, settings } = this.#host;
    const what = this.openedAt !== undefined ? 'the login was not answered' : 'the connection was not open';
    return new ConnectionLost(parts.name, `${what} within ${settings.connectTimeoutMs} ms`);
  }

  #attempt(work: () => void): void {
    if (this.isOver) return;
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const { name, secrets } = this.#host.parts;
    this.end(isProviderError(error) ? error : lostBy(name, error, secrets));
  }
}
