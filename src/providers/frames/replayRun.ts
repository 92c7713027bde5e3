import type { SchedulerLike } from 'rxjs';
import { Timer } from '../../primitives/timer.js';
import type { Connection, ConnectionEvents } from '../provider.js';
import { type ConnectEvent, errorOf, type FrameEvent, type HoleEvent } from './frameFormat.js';
import { ReplayTimers } from './replayTimers.js';

export interface ReplayRunConfig {
  readonly provider: string;
  readonly startedAt: number;
  readonly blocks: AsyncIterator<readonly FrameEvent[]>;
  /** How many times faster than it was; `Infinity` for as fast as it is read. */
  readonly speed: number;
  readonly scheduler: SchedulerLike;
  readonly onHole: (hole: HoleEvent) => void;
}

/** How long the event loop may wait for a replay, in milliseconds. */
const SLICE_MS = 10;
/** How many events may pass between two looks at the clock. */
const EVENTS_PER_LOOK = 16;
/** How many timers may be run ahead of their time until the stream connects again: it has a handful. */
const MAX_HURRIED = 1_000;

/** A connection of the stream. */
interface Socket {
  readonly events: ConnectionEvents;
  /** Whether either side has ended it. */
  isClosed: boolean;
  isPaused: boolean;
  /** Whether the client of the capture has closed it, and that of now has not yet. */
  isLeft: boolean;
}

/**
 * Plays a capture. Its clock is that of the capture: it goes from event to event, and the timers of the stream run between the
 * events in the order of their times. So neither the speed nor the machine decides what comes out.
 *
 * It stands still while a connection is paused, while the file is read, and while the capture goes on with a connection that the
 * stream has not asked for yet. The stream then waits for its backoff, which chance has made another one: its timers run ahead of
 * their time.
 */
export class ReplayRun {
  frames = 0;
  connections = 0;
  lostFrames = 0;
  isOver = false;
  readonly timers = new ReplayTimers(
    () => this.#now,
    () => this.#wake(),
  );
  readonly #config: ReplayRunConfig;
  readonly #timer: Timer;
  /** Connections that were asked for and have no counterpart yet. */
  #asked: Socket[] = [];
  readonly #sockets = new Map<number, Socket>();
  #block: readonly FrameEvent[] = [];
  #next = 0;
  #now: number;
  #isStarted = false;
  #isReading = false;
  #isRead = false;
  #failure: unknown;
  #isWorking = false;
  #isWoken = false;
  #hurried = 0;
  #hasEnded = false;
  /** A moment of the scheduler, and the same one of the capture. */
  #anchor: { readonly at: number; readonly now: number } | undefined;

  constructor(config: ReplayRunConfig) {
    this.#config = config;
    this.#now = config.startedAt;
    this.#timer = new Timer(config.scheduler, () => {
      this.#isWoken = false;
      this.#work();
    });
  }

  /** The time of the capture, in epoch milliseconds. */
  get now(): number {
    return this.#now;
  }

  connect(events: ConnectionEvents): Connection {
    const socket: Socket = { events, isClosed: false, isPaused: false, isLeft: false };
    this.#asked.push(socket);
    this.#anchor = undefined;
    this.#isStarted = true;
    this.#wake();
    const go = (isPaused: boolean) => {
      socket.isPaused = isPaused;
      this.#anchor = undefined;
      this.#wake();
    };
    return {
      send: () => {},
      close: () => {
        socket.isClosed = true;
        go(false);
      },
      pause: () => go(true),
      resume: () => go(false),
    };
  }

  #wake(): void {
    if (this.#isWorking || this.#isWoken) return;
    this.#isWoken = true;
    this.#timer.set(0);
  }

  #work(): void {
    const { scheduler } = this.#config;
    const since = scheduler.now();
    this.#isWorking = true;
    let events = 0;
    let goesOn = true;
    try {
      while (goesOn) {
        goesOn = this.#step();
        events += 1;
        if (events % EVENTS_PER_LOOK === 0 && scheduler.now() - since >= SLICE_MS) break;
      }
    } finally {
      this.#isWorking = false;
      if (goesOn) this.#wake();
    }
  }

  /** One timer or one event. False if there is nothing to do until something wakes it. */
  #step(): boolean {
    if (this.timers.nextDue <= this.#now) {
      this.timers.runNext();
      return true;
    }
    if (!this.#isStarted || this.#isPaused) return false;
    const event = this.#block[this.#next];
    if (event === undefined) return this.#read();
    if (event.is === 'connect' && !this.#isConnected) return this.#claim(event);
    const due = Math.max(this.#now, event.t);
    const timerDue = this.timers.nextDue;
    if (timerDue <= due) return this.#moveTo(timerDue);
    if (!this.#moveTo(due)) return false;
    if (event.is === 'connect') return this.#claim(event);
    this.#next += 1;
    this.#deliver(event);
    return true;
  }

  /** Waits, if need be, until the clock may show a time. */
  #moveTo(now: number): boolean {
    const { speed, scheduler } = this.#config;
    if (speed !== Number.POSITIVE_INFINITY && now > this.#now) {
      this.#anchor ??= { at: scheduler.now(), now: this.#now };
      const leftMs = this.#anchor.at + (now - this.#anchor.now) / speed - scheduler.now();
      if (leftMs > 0) {
        this.#timer.set(leftMs);
        return false;
      }
    }
    this.#now = now;
    return true;
  }

  get #isPaused(): boolean {
    if (this.#asked.some(({ isPaused }) => isPaused)) return true;
    for (const { isPaused } of this.#sockets.values()) if (isPaused) return true;
    return false;
  }

  /** Whether the stream has a connection, or has asked for one. */
  get #isConnected(): boolean {
    this.#asked = this.#asked.filter(({ isClosed }) => !isClosed);
    if (this.#asked.length > 0) return true;
    for (const { isClosed, isLeft } of this.#sockets.values()) if (!isClosed && !isLeft) return true;
    return false;
  }

  /** The capture goes on with a new connection. */
  #claim(event: ConnectEvent): boolean {
    this.#leave();
    if (!this.#isConnected && this.timers.nextDue < Number.POSITIVE_INFINITY && this.#hurried < MAX_HURRIED) {
      // Nothing happened since the last connection but the wait for this one.
      if (!this.#moveTo(Math.max(this.#now, event.t))) return false;
      this.#hurried += 1;
      this.timers.runNext();
      return true;
    }
    if (!this.#moveTo(Math.max(this.#now, event.t))) return false;
    const socket = this.#asked.shift();
    // Nobody asks for it any more, or not yet.
    if (!socket && !this.#isConnected && this.#hurried < MAX_HURRIED) return false;
    this.#hurried = 0;
    this.#next += 1;
    if (socket) {
      this.connections += 1;
      this.#sockets.set(event.c, socket);
    }
    return true;
  }

  /** The client of the capture had closed these before it connected again; that of now has had other timers. */
  #leave(): void {
    for (const [c, socket] of this.#sockets) {
      if (!socket.isLeft && !socket.isClosed) continue;
      this.#sockets.delete(c);
      if (socket.isClosed) continue;
      socket.isClosed = true;
      socket.events.closed(new Error('the recorded client closed the connection'));
    }
  }

  #deliver(event: Exclude<FrameEvent, ConnectEvent>): void {
    if (event.is === 'hole') {
      this.lostFrames += event.frames;
      this.#config.onHole(event);
      return;
    }
    const socket = this.#sockets.get(event.c);
    if (!socket || socket.isClosed) return;
    switch (event.is) {
      case 'open':
        socket.events.opened();
        return;
      case 'in':
        this.frames += 1;
        socket.events.frame(event.frame, event.t);
        return;
      case 'alive':
        socket.events.alive();
        return;
      case 'closed':
        socket.isClosed = true;
        this.#sockets.delete(event.c);
        socket.events.closed(errorOf(this.#config.provider, event.error));
        return;
      case 'close':
        socket.isLeft = true;
    }
  }

  #read(): boolean {
    if (this.#isRead) return this.#finish();
    if (this.#isReading) return false;
    this.#isReading = true;
    const isRead = (failure?: unknown) => {
      this.#isReading = false;
      this.#isRead = true;
      this.#failure = failure;
      this.#wake();
    };
    this.#config.blocks.next().then(({ value, done }) => {
      if (done) {
        isRead();
        return;
      }
      this.#isReading = false;
      this.#block = value;
      this.#next = 0;
      this.#wake();
    }, isRead);
    return false;
  }

  /** The capture is over, and so is every stream of it. */
  #finish(): boolean {
    this.isOver = true;
    const open = [...this.#asked, ...this.#sockets.values()].filter(({ isClosed }) => !isClosed);
    this.#asked = [];
    this.#sockets.clear();
    for (const { events } of open) events.finished?.(this.#failure);
    this.#hasEnded ||= open.length > 0;
    if (open.length > 0) return true;
    // A stream that waits for its next attempt ends with it.
    const isWaiting = !this.#hasEnded && this.timers.nextDue < Number.POSITIVE_INFINITY;
    if (!isWaiting || this.#hurried >= MAX_HURRIED) return false;
    this.#hurried += 1;
    this.timers.runNext();
    return true;
  }
}
