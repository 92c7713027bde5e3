import type { SchedulerAction, SchedulerLike } from 'rxjs';
import { eventLoopScheduler } from '../../primitives/eventLoopScheduler.js';
import { func, having, number, type OptionsOf, readArgument, readOptions, text } from '../../primitives/options.js';
import type { Connect } from '../provider.js';
import type { CaptureHole } from './captureFrames.js';
import { findCapture, readCapture } from './readCapture.js';
import { ReplayRun } from './replayRun.js';

export interface ReplayFramesConfig {
  /** How many times faster than it was received: a number above 0, or `max` for as fast as the reader takes it. Default 1. */
  readonly speed?: number | 'max';
  /** Called with each hole that the capture has. */
  readonly onHole?: (hole: CaptureHole) => void;
  /** What waits between the frames, and yields to the event loop. Default: that of Node. */
  readonly scheduler?: SchedulerLike;
}

const OPTIONS = {
  speed: number({ above: 0 }).or('max').default(1),
  onHole: func(),
  scheduler: having('now', 'schedule').default(eventLoopScheduler),
} satisfies OptionsOf<ReplayFramesConfig>;

/** What was replayed until now. */
export interface ReplayCounts {
  /** Frames that the stream has received. */
  readonly frames: number;
  readonly connections: number;
  /** Frames that are missing in the capture. */
  readonly lostFrames: number;
  /** Whether the capture is at its end. */
  readonly isOver: boolean;
}

/** A capture that is replayed, for the config of the provider that was captured. */
export interface FrameReplay {
  /** The provider that was captured. */
  readonly provider: string;
  /** When the capture began, in epoch milliseconds. */
  readonly startedAt: number;
  /** For the config of that provider: what takes the place of its socket and of its clock. */
  readonly config: { readonly wrapConnect: () => Connect; readonly scheduler: SchedulerLike };
  /** The same alone, for the parts of a provider. */
  readonly connect: Connect;
  readonly counts: ReplayCounts;
}

/**
 * Plays what {@link captureFrames} recorded: the same frames over the same connections in the same order. They pass the session and
 * the normaliser of the provider, whose clock is that of the capture: the records are those of the live run, with their
 * `seq` and their gap records, at any speed and each time. The stream completes with the end of the capture.
 *
 * `path` is the folder of a capture, its name in a folder of several (`captures/massive-20260105T143000000Z`), or one of its files.
 *
 * **Backpressure**: waits while the gate downstream is closed; nothing is conflated or lost at any speed. Yields to the event loop.
 * **Errors when**: the capture is damaged: the stream fails with a `FrameCaptureError` that names file and line. A torn last line,
 * as a crash leaves it, is left out. What can be seen at once, such as a folder without a capture or a later version of the format,
 * is thrown here.
 *
 * **Gotchas**:
 * - One replay plays once, for one stream: the provider, kinds and symbols should be those of the capture, because what the stream
 *   sends is ignored.
 * - Pass `config` whole: without the clock of the capture, timeouts and gap records go by that of the machine.
 *
 * @example
 * ```ts
 * import { defineProvider, type ProviderParts, replayFrames } from 'sluice/providers';
 *
 * declare const parts: ProviderParts;
 * const replay = replayFrames('captures', { speed: 'max' });
 * const provider = defineProvider(parts, replay.config);
 * provider.stream({ kinds: ['trade'], symbols: ['AAPL'] }).subscribe((record) => console.log(record));
 * ```
 */
export function replayFrames(path: string, config: ReplayFramesConfig = {}): FrameReplay {
  readArgument('replayFrames', 'path', path, text());
  const { speed, scheduler, onHole } = readOptions('replayFrames', config, OPTIONS);
  const capture = findCapture(path);
  const { provider, startedAt } = capture;
  const run = new ReplayRun({
    ...{ provider, startedAt, scheduler },
    blocks: readCapture(capture),
    speed: speed === 'max' ? Number.POSITIVE_INFINITY : speed,
    onHole: ({ from, t, frames, bytes }) => onHole?.({ from, to: t, frames, bytes }),
  });
  const connect: Connect = (events) => run.connect(events);
  const clock: SchedulerLike = {
    now: () => run.now,
    schedule: <S>(work: (this: SchedulerAction<S>, state?: S) => void, delay = 0, state?: S) =>
      run.timers.add(work, delay, state),
  };
  return {
    provider,
    startedAt,
    config: { wrapConnect: () => connect, scheduler: clock },
    connect,
    get counts() {
      const { frames, connections, lostFrames, isOver } = run;
      return { frames, connections, lostFrames, isOver };
    },
  };
}
