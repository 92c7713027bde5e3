import { asapScheduler, asyncScheduler, type OperatorFunction, type SchedulerLike, type Subscription } from 'rxjs';
import { operate } from '../flow/operate.js';
import { admit, WaitingLine } from '../flow/waitingLine.js';
import { requireDuration, requireFunction, requireInteger, requireKnownOptions } from '../policies/validate.js';

export interface BatchConfig<T> {
  /** The most items in a batch. Integer of at least 1. */
  readonly size: number;
  /** The longest that an item waits for others, in milliseconds. Without it a batch waits until it is full. */
  readonly lingerMs?: number;
  /** Emit as soon as the writer downstream is idle, so that batches grow only while it is busy. Default false. */
  readonly eager?: boolean;
  /** The most bytes in a batch, as `sizeOf` counts them. An item that is larger alone makes a batch of one. */
  readonly maxBytes?: number;
  /** The size of an item in bytes; required with `maxBytes`. */
  readonly sizeOf?: (item: T) => number;
  /** The clock of the linger, and of `eager`, which waits for the end of the current burst. */
  readonly scheduler?: SchedulerLike;
  /** The name in topology, metrics and errors. Default `batch`. */
  readonly name?: string;
}

export function batch<T>(config: BatchConfig<T>): OperatorFunction<T, readonly T[]> {
  const owner = 'batch';
  requireKnownOptions(owner, config, ['size', 'lingerMs', 'eager', 'maxBytes', 'sizeOf', 'scheduler', 'name']);
  const size = requireInteger(owner, 'size', config.size);
  const lingerMs = config.lingerMs === undefined ? undefined : requireDuration(owner, 'lingerMs', config.lingerMs);
  const maxBytes = config.maxBytes === undefined ? Infinity : requireInteger(owner, 'maxBytes', config.maxBytes);
  const sizeOf = maxBytes === Infinity ? undefined : requireFunction(owner, 'sizeOf (with maxBytes)', config.sizeOf);
  const eager = config.eager ?? false;
  const lingerScheduler = config.scheduler ?? asyncScheduler;
  const burstScheduler = config.scheduler ?? asapScheduler;

  return operate({ kind: owner, name: config.name }, (operation) => {
    const { destination, downstream, stage } = operation;
    const gate = downstream.gate;
    let items: T[] = [];
    let bytes = 0;
    /** Nothing is waited for any more but the gate and the end of a burst. */
    let prompt = eager;
    let startedAt = 0;
    let lingering: Subscription | undefined;
    let bursting: Subscription | undefined;
    let cancelWait: (() => void) | undefined;
    let finish: (() => void) | undefined;

    const isFull = () => items.length >= size || bytes >= maxBytes;

    const line = new WaitingLine<T>({
      offer(item) {
        if (sizeOf) {
          const weight = sizeOf(item);
          if (items.length > 0 && (isFull() || bytes + weight > maxBytes) && !flush()) return false;
          bytes += weight;
        } else if (items.length >= size && !flush()) {
          return false;
        }
        append(item);
        return true;
      },
      isReady: () => !isFull(),
      fail: (error) => destination.error(error),
    });

    const append = (item: T) => {
      const length = items.push(item);
      if (length === 1) started();
      if (length >= size || bytes >= maxBytes) flush();
    };

    /** Emits the batch; if the gate downstream is closed, as soon as it opens. */
    const flush = (): boolean => {
      if (!gate.isOpen) {
        cancelWait ??= gate.whenOpen(onOpen);
        if (isFull()) line.regulate();
        return false;
      }
      const full = items;
      items = [];
      bytes = 0;
      stage.out += full.length;
      destination.next(full);
      return true;
    };

    const onOpen = () => {
      cancelWait = undefined;
      if (items.length > 0) flush();
      line.drain();
      finish?.();
    };

    const started = () => {
      if (prompt) {
        if (gate.isOpen) bursting ??= burstScheduler.schedule(onBurstEnd);
        else cancelWait ??= gate.whenOpen(onOpen);
      } else if (lingerMs !== undefined) {
        // One timer serves many batches: when it fires for a younger one it is set again for the rest.
        startedAt = lingerScheduler.now();
        lingering ??= lingerScheduler.schedule(onLinger, lingerMs);
      }
    };

    const onBurstEnd = () => {
      bursting = undefined;
      if (items.length > 0 && flush()) line.drain();
    };

    const onLinger = () => {
      lingering = undefined;
      if (items.length === 0 || lingerMs === undefined) return;
      const rest = startedAt + lingerMs - lingerScheduler.now();
      if (rest > 0) lingering = lingerScheduler.schedule(onLinger, rest);
      else if (flush()) line.drain();
    };

    const endWith = (end: () => void) =>
      line.end(() => {
        lingering?.unsubscribe();
        bursting?.unsubscribe();
        finish = () => {
          if (items.length === 0 || flush()) end();
        };
        finish();
      });

    destination.add(
      downstream.stopping.subscribe(() => {
        prompt = true;
        lingering?.unsubscribe();
        if (items.length > 0) flush();
      }),
    );

    return {
      gate: line.gate,
      held: () => line.length + items.length,
      next(item) {
        stage.in += 1;
        // The line is for what does not fit: nearly every item goes past it.
        if (sizeOf === undefined && items.length < size && line.length === 0) append(item);
        else admit(line, item, operation, endWith);
      },
      error: (error) => endWith(() => destination.error(error)),
      complete: () => endWith(() => destination.complete()),
      finalize() {
        lingering?.unsubscribe();
        bursting?.unsubscribe();
        cancelWait?.();
      },
    };
  });
}
