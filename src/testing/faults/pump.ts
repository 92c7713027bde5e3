import type { Socket } from 'node:net';
import type { ArmedFault, DripPace } from './fault.js';

export interface PumpHost {
  readonly source: Socket;
  readonly sink: Socket;
  /** The faults that may fire here, each with how many bytes pass first. */
  due(): Iterable<readonly [fault: ArmedFault, left: number]>;
  /** Applies a fault, which may end the connection, stall this pump or make it drip. */
  strike(fault: ArmedFault, pump: Pump): void;
  /** Counts bytes that were passed on. */
  passed(bytes: number): void;
  /** Returns the bytes to pass on and actions to run after them. */
  inspect(chunk: Buffer): Iterable<Buffer | (() => void)>;
  /** Returns what is still held back once the source has ended. */
  rest(): Iterable<Buffer>;
  /** The source has ended, and all that it sent is passed on. */
  ended(): void;
}

/**
 * Carries bytes in one direction, as fast as the receiver accepts them. While it carries nothing, it reads nothing, so the
 * sender notices as with a dead connection.
 */
export class Pump {
  readonly #host: PumpHost;
  readonly #pending: (Buffer | (() => void))[] = [];
  readonly #stalls = new Set<ArmedFault>();
  #drip: { readonly pace: DripPace; readonly fault: ArmedFault } | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Bytes are on their way to the kernel, and a fault is due after them. */
  #isSettling = false;
  #isFull = false;
  #isFlowing = false;
  #hasEnded = false;
  #isClosed = false;

  constructor(host: PumpHost) {
    this.#host = host;
    const { source, sink } = host;
    source.on('data', (chunk: Buffer) => {
      if (this.#isClosed) return;
      this.#pending.push(...host.inspect(chunk));
      this.flow();
    });
    source.on('end', () => {
      this.#hasEnded = true;
      this.#pending.push(...host.rest());
      this.flow();
    });
    sink.on('drain', () => {
      this.#isFull = false;
      this.flow();
    });
  }

  stall(fault: ArmedFault): void {
    this.#stalls.add(fault);
    this.#regulate();
  }

  dripBy(fault: ArmedFault, pace: DripPace): void {
    this.#drip = { fault, pace };
  }

  /** Ends the stall or the drip of this fault. */
  release(fault: ArmedFault): void {
    this.#stalls.delete(fault);
    if (this.#drip?.fault === fault) {
      this.#drip = undefined;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    this.flow();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#pending.length = 0;
  }

  flow(): void {
    if (this.#isFlowing) return;
    this.#isFlowing = true;
    while (this.#mayPass() && this.#pending.length > 0) this.#step();
    this.#isFlowing = false;
    if (this.#isClosed) return;
    this.#regulate();
    if (this.#hasEnded && this.#pending.length === 0 && this.#mayPass()) this.#host.ended();
  }

  #mayPass(): boolean {
    const isWaiting = this.#isFull || this.#isSettling || this.#timer !== undefined;
    return !isWaiting && !this.#isClosed && this.#stalls.size === 0;
  }

  #regulate(): void {
    const { source } = this.#host;
    if (this.#mayPass() && this.#pending.length === 0) source.resume();
    else source.pause();
  }

  #step(): void {
    const [next] = this.#pending;
    if (typeof next === 'function') {
      this.#pending.shift();
      next();
      return;
    }
    const chunk = next!;
    let count = chunk.length;
    let fault: ArmedFault | undefined;
    for (const [candidate, left] of this.#host.due()) {
      if (left >= count) continue;
      count = left;
      fault = candidate;
    }
    const drip = this.#drip;
    if (drip && drip.pace.bytes < count) {
      count = drip.pace.bytes;
      fault = undefined;
    }
    if (count === chunk.length) this.#pending.shift();
    else this.#pending[0] = chunk.subarray(count);
    if (count === 0) {
      if (fault) this.#host.strike(fault, this);
      return;
    }
    this.#host.passed(count);
    // The fault may end the connection, so the bytes before it must have left first.
    this.#isSettling = fault !== undefined;
    const takesMore = this.#host.sink.write(chunk.subarray(0, count), () => {
      if (!fault) return;
      this.#isSettling = false;
      if (this.#isClosed) return;
      this.#host.strike(fault, this);
      this.flow();
    });
    if (!takesMore) this.#isFull = true;
    if (drip) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.flow();
      }, drip.pace.everyMs);
    }
  }
}
