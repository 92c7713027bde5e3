import type { SchedulerLike } from 'rxjs';
import { type Disk, nodeDisk } from '../../disk/disk.js';
import { eventLoopScheduler } from '../../primitives/eventLoopScheduler.js';
import {
  duration,
  func,
  having,
  integer,
  type OptionsOf,
  readArgument,
  readOptions,
} from '../../primitives/options.js';
import { folderPath } from '../../primitives/unexpandedPath.js';
import type { Connect, Connection, ConnectionEvents } from '../provider.js';
import type { ConnectOwner } from '../streamConfig.js';
import { CaptureLog } from './captureLog.js';
import type { FrameCaptureError } from './frameCaptureError.js';
import { captureError, eventLine, frameLine } from './frameFormat.js';
import { FrameMask } from './frameMask.js';
import { captureName } from './segmentNames.js';

/** Frames that a slow disk has left no place for, between two times in epoch milliseconds. */
export interface CaptureHole {
  readonly from: number;
  readonly to: number;
  readonly frames: number;
  readonly bytes: number;
}

export interface CaptureFramesConfig {
  /** How large a file may become, compressed, in bytes. Integer of at least 1, default 64 MiB. */
  readonly maxSegmentBytes?: number;
  /** How long a file is written to, in milliseconds. At least 1, default 900,000. */
  readonly maxSegmentMs?: number;
  /** How much may wait for the disk, in characters. Integer of at least 1, default 64 Mi. */
  readonly maxPendingBytes?: number;
  /** Called with each hole. */
  readonly onHole?: (hole: CaptureHole) => void;
  /** Called when the disk begins to refuse what is written, which is then tried again each second. */
  readonly onError?: (error: FrameCaptureError) => void;
  /** The clock and timers. Default: those of `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** The file system. Default: that of Node. */
  readonly disk?: Disk;
}

const OPTIONS = {
  maxSegmentBytes: integer({ min: 1 }).default(64 * 1024 * 1024),
  maxSegmentMs: duration({ min: 1 }).default(900_000),
  maxPendingBytes: integer({ min: 1 }).default(64 * 1024 * 1024),
  onHole: func(),
  onError: func(),
  scheduler: having('now', 'schedule').default(eventLoopScheduler),
  disk: having('open', 'rename').default(nodeDisk),
} satisfies OptionsOf<CaptureFramesConfig>;

/** What was captured until now. */
export interface CaptureCounts {
  readonly connections: number;
  /** Frames in both directions, those in holes not among them. */
  readonly frames: number;
  /** Their size: bytes of binary frames, characters of text. */
  readonly bytes: number;
  /** Files, the open ones among them, and what is written to them, compressed. */
  readonly files: number;
  readonly fileBytes: number;
  readonly lostFrames: number;
}

/** A capture under way: what it is given to providers by, and what it has counted. */
export interface FrameCapture {
  /** For the config of a provider. */
  readonly wrapConnect: (connect: Connect, about: ConnectOwner) => Connect;
  readonly counts: CaptureCounts;
  /** Writes what waits and names the last files. What comes afterwards is not captured. Rejects with a {@link FrameCaptureError}. */
  close(): Promise<void>;
  /** Closes, and removes its files: for a capture of which nothing is of use. */
  discard(): Promise<void>;
}

/**
 * Records what passes between a provider and its vendor, below any decoder: each frame in both directions with its time of receipt and
 * its connection, and how connections begin and end. {@link replayFrames} plays it again.
 *
 * A capture is a row of gzipped files of one JSON document per line in `folder`, named after the provider and the time at which
 * it begins. A file has its final name, `….ndjson.gz`, once it is closed; until then it ends in `.open`. Files and a new folder
 * are for their owner alone.
 *
 * Secrets are replaced by `***`: those that the provider names, wherever they stand, and whatever is named like one.
 *
 * **Gotchas**:
 * - The stream never waits for the disk, and does not fail with it. Frames beyond `maxPendingBytes` are counted, told to `onHole`, and
 *   marked in the capture: a replay has a hole there.
 * - What a provider asks by HTTP, such as history, is not captured.
 * - Call `close()` when the stream has ended.
 *
 * @example
 * ```ts
 * import { captureFrames, defineProvider, type ProviderParts } from 'sluice/providers';
 *
 * declare const parts: ProviderParts;
 * const capture = captureFrames('captures');
 * const provider = defineProvider(parts, { wrapConnect: capture.wrapConnect });
 * provider.stream({ kinds: ['trade'], symbols: ['AAPL'] }).subscribe({
 *   complete: () => void capture.close(),
 * });
 * ```
 */
export function captureFrames(folder: string, config: CaptureFramesConfig = {}): FrameCapture {
  readArgument('captureFrames', 'folder', folder, folderPath());
  const options = readOptions('captureFrames', config, OPTIONS);
  const recorders: Recorder[] = [];
  const names = new Set<string>();
  return {
    wrapConnect(connect, about) {
      const open = (startedAt: number) => {
        let again = 0;
        while (names.has(captureName(about.name, startedAt, again))) again += 1;
        const capture = captureName(about.name, startedAt, again);
        names.add(capture);
        return new CaptureLog({
          ...options,
          folder,
          about: { capture, provider: about.name, startedAt },
          onHole: ({ from, t, frames, bytes }) => tell(options.onHole, { from, to: t, frames, bytes }),
          onTrouble: (error) => tell(options.onError, error),
        });
      };
      const recorder = new Recorder(connect, about, options.scheduler, open);
      recorders.push(recorder);
      return recorder.connect;
    },
    get counts() {
      const sum = (count: (recorder: Recorder) => number) => recorders.reduce((all, one) => all + count(one), 0);
      return {
        connections: sum((one) => one.connections),
        frames: sum((one) => one.frames),
        bytes: sum((one) => one.bytes),
        files: sum((one) => one.log?.segments ?? 0),
        fileBytes: sum((one) => one.log?.writtenBytes ?? 0),
        lostFrames: sum((one) => one.lostFrames),
      };
    },
    async close() {
      const ends = await Promise.allSettled(recorders.map((recorder) => recorder.close()));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    },
    async discard() {
      await this.close();
      for (const recorder of recorders) await recorder.log?.discard();
    },
  };
}

/** What an observer throws must not reach the transport that it observes. */
function tell<A>(callback: ((argument: A) => void) | undefined, argument: A): void {
  try {
    callback?.(argument);
  } catch (error) {
    reportUncaught(error);
  }
}

/** As RxJS reports what has nowhere to go. */
function reportUncaught(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

/** Records the connections of one provider. */
class Recorder {
  connections = 0;
  frames = 0;
  bytes = 0;
  lostFrames = 0;
  log: CaptureLog | undefined;
  readonly connect: Connect;
  readonly #inner: Connect;
  readonly #about: ConnectOwner;
  readonly #mask: FrameMask;
  readonly #scheduler: SchedulerLike;
  readonly #open: (startedAt: number) => CaptureLog;
  #isClosed = false;

  constructor(
    connect: Connect,
    about: ConnectOwner,
    scheduler: SchedulerLike,
    open: (startedAt: number) => CaptureLog,
  ) {
    this.#inner = connect;
    this.#about = about;
    this.#mask = new FrameMask(about.secrets);
    this.#scheduler = scheduler;
    this.#open = open;
    this.connect = (events) => this.#connect(events);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.log?.close();
  }

  #connect(events: ConnectionEvents): Connection {
    const scheduler = this.#scheduler;
    this.connections += 1;
    const c = this.connections;
    const say = (is: 'connect' | 'open' | 'alive' | 'close') => this.#add(eventLine({ is, t: scheduler.now(), c }));
    if (!this.#isClosed) this.log ??= this.#open(scheduler.now());
    say('connect');
    let isOver = false;
    const closed = (error: unknown) => {
      isOver = true;
      const captured = captureError(error, this.#about.secrets);
      this.#add(eventLine({ is: 'closed', t: scheduler.now(), c, error: captured }));
    };
    const inner = this.#attempt(closed, {
      opened: () => {
        say('open');
        events.opened();
      },
      // The stream counts with the time that is written down: a replay gives the same.
      frame: (frame, receivedAt = scheduler.now()) => {
        this.#frame('in', receivedAt, c, frame);
        events.frame(frame, receivedAt);
      },
      alive: () => {
        if (!this.log?.isFull) say('alive');
        events.alive();
      },
      closed: (error) => {
        closed(error);
        events.closed(error);
      },
      ...(events.finished && { finished: (error?: unknown) => events.finished?.(error) }),
    });
    return {
      ...(inner.ping && { ping: () => inner.ping?.() }),
      ...(inner.pause && { pause: () => inner.pause?.() }),
      ...(inner.resume && { resume: () => inner.resume?.() }),
      send: (frame) => {
        this.#frame('out', scheduler.now(), c, frame);
        inner.send(frame);
      },
      close: () => {
        if (!isOver) say('close');
        isOver = true;
        inner.close();
      },
    };
  }

  /** A transport may fail right here. */
  #attempt(closed: (error: unknown) => void, events: ConnectionEvents): Connection {
    try {
      return this.#inner(events);
    } catch (error) {
      closed(error);
      throw error;
    }
  }

  #frame(is: 'in' | 'out', t: number, c: number, frame: string | Uint8Array): void {
    const { log } = this;
    if (!log || this.#isClosed) return;
    if (log.isFull) {
      this.lostFrames += 1;
      log.lose(t, frame.length);
      return;
    }
    this.frames += 1;
    this.bytes += frame.length;
    log.add(frameLine(is, t, c, this.#mask.mask(frame, is === 'out')));
  }

  /** How connections begin and end is recorded even where frames have no place: there are few of them. */
  #add(line: string): void {
    if (!this.#isClosed) this.log?.add(line);
  }
}
