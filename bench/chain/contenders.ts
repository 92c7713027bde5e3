import { once } from 'node:events';
import { Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Effect, Queue, Stream } from 'effect';
import * as ix from 'ix/asynciterable';
import * as ixOperators from 'ix/asynciterable/operators';
import { lastValueFrom, type Observable } from 'rxjs';
import {
  type Bar,
  CircuitBreaker,
  type DeadLetters,
  gatedSource,
  PipelineMonitor,
  type Sink,
  withContext,
} from 'sluice';
import {
  batch,
  boundedBuffer,
  boundedMergeMap,
  type CoordinatorPolicies,
  pace,
  route,
  type WritePolicies,
  writeCoordinator,
  writeTo,
} from 'sluice/operators';
import { eventLoopScheduler } from 'sluice/sources';
import * as streaming from 'streaming-iterables';
import { BARS, BATCH_SIZE, CAPACITY, generate, iterate, type NullSink, WRITERS } from './work.js';

/** One way to do the work. The fastest formulation of each framework represents it. */
export interface Formulation {
  readonly framework: string;
  readonly how: string;
  /** Only shown beside the others: it does not do the same work. */
  readonly reference?: true;
  /** Compared with its like alone, for what the policies of a writer cost. */
  readonly only?: 'policies';
  /** How many items are measured, after a third as many to warm up: fewer where they are slow. */
  readonly items: number;
  run(sink: NullSink): Promise<unknown>;
}

const MANY = 6_000_000;
const FEW = 600_000;

function source(count: number) {
  return gatedSource<Bar>({ name: 'bars', scheduler: eventLoopScheduler }, (outlet) => {
    let i = 0;
    outlet.pump(() => {
      if (i < count) outlet.next(BARS[i++ % BARS.length] as Bar);
      else outlet.complete();
    });
  });
}

/** Node has no batching stage: this is the usual Transform. */
function batcher(): Transform {
  let items: Bar[] = [];
  return new Transform({
    objectMode: true,
    writableHighWaterMark: CAPACITY,
    readableHighWaterMark: WRITERS,
    transform(bar: Bar, _encoding, done) {
      if (items.push(bar) < BATCH_SIZE) return done();
      const full = items;
      items = [];
      done(null, full);
    },
    flush(done) {
      if (items.length > 0) this.push(items);
      done();
    },
  });
}

/** Up to four concurrent writes, as a Writable allows it: `write` calls back before the item is written. */
class Writers {
  readonly #sink: NullSink;
  #active = 0;
  #waiting: (() => void) | undefined;
  #ending: (() => void) | undefined;

  constructor(sink: NullSink) {
    this.#sink = sink;
  }

  write(bars: readonly Bar[], done: () => void): void {
    this.#active += 1;
    this.#sink.write(bars).then(this.#written);
    if (this.#active < WRITERS) done();
    else this.#waiting = done;
  }

  end(done: () => void): void {
    if (this.#active === 0) done();
    else this.#ending = done;
  }

  readonly #written = () => {
    this.#active -= 1;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
    if (this.#active === 0) this.#ending?.();
  };
}

function writable(sink: NullSink): Writable {
  const writers = new Writers(sink);
  return new Writable({
    objectMode: true,
    highWaterMark: WRITERS,
    write: (bars: Bar[], _encoding, done) => writers.write(bars, done),
    final: (done) => writers.end(done),
  });
}

/** Writes items one by one, waiting for `drain` when the stream asks for it. */
async function feed(stream: Writable, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    if (!stream.write(BARS[i % BARS.length])) await once(stream, 'drain');
  }
  stream.end();
}

async function consume(results: AsyncIterable<number>): Promise<void> {
  for await (const _count of results);
}

function runEffect(bars: Stream.Stream<Bar>, sink: NullSink): Promise<void> {
  return Effect.runPromise(
    bars.pipe(
      Stream.grouped(BATCH_SIZE),
      Stream.mapEffect((full) => Effect.promise(() => sink.write(full)), { concurrency: WRITERS, unordered: true }),
      Stream.runDrain,
    ),
  );
}

/** Nothing fails here, so they are never called. */
const NO_LETTERS: DeadLetters<Bar> = {
  append() {
    throw new Error('nothing was to be diverted');
  },
};

function nullSink(sink: NullSink): Sink<Bar> {
  return {
    name: 'null',
    keyOf: (bar) => bar.symbol,
    write: async (bars) => ({ rows: await sink.write(bars) }),
  };
}

async function counted(sink: NullSink, outcomes$: Observable<unknown>): Promise<void> {
  const monitor = new PipelineMonitor();
  await lastValueFrom(outcomes$.pipe(withContext({ monitor })));
  const { written, held, conservation } = monitor.account();
  if (written !== sink.expected || held !== 0 || conservation !== 0) {
    throw new Error(`the account is ${JSON.stringify(monitor.account())}`);
  }
}

function coordinate(sink: NullSink, policies: CoordinatorPolicies<Bar>): Promise<void> {
  const bar = (bars$: Observable<Bar>) =>
    bars$.pipe(pace({ rate: Number.POSITIVE_INFINITY, perMs: 1_000 }), writeCoordinator(nullSink(sink), { policies }));
  return counted(sink, source(sink.expected).pipe(route(({ kind }) => kind, { bar })));
}

function write(sink: NullSink, policies: WritePolicies<Bar>): Promise<void> {
  return counted(
    sink,
    source(sink.expected).pipe(
      boundedBuffer({ capacity: CAPACITY }),
      batch({ size: BATCH_SIZE }),
      writeTo(nullSink(sink), { concurrency: WRITERS, ...policies }),
    ),
  );
}

export const FORMULATIONS: Readonly<Record<string, Formulation>> = {
  sluice: {
    framework: 'Sluice',
    how: 'gatedSource, boundedBuffer, batch, boundedMergeMap',
    items: MANY,
    run: (sink) =>
      lastValueFrom(
        source(sink.expected).pipe(
          boundedBuffer({ capacity: CAPACITY }),
          batch({ size: BATCH_SIZE }),
          boundedMergeMap(sink.write, { concurrency: WRITERS }),
        ),
      ),
  },
  nodeReadable: {
    framework: 'Node streams',
    how: 'Readable with a push loop, Transform, Writable',
    items: MANY,
    run(sink) {
      let i = 0;
      const readable = new Readable({
        objectMode: true,
        highWaterMark: CAPACITY,
        read() {
          while (i < sink.expected) if (!this.push(BARS[i++ % BARS.length])) return;
          this.push(null);
        },
      });
      return pipeline(readable, batcher(), writable(sink));
    },
  },
  nodeFrom: {
    framework: 'Node streams',
    how: 'Readable.from, Transform, Writable',
    items: MANY,
    run: (sink) =>
      pipeline(Readable.from(generate(sink.expected), { highWaterMark: CAPACITY }), batcher(), writable(sink)),
  },
  nodeFeed: {
    framework: 'Node streams',
    how: 'write and drain into Transform, Writable',
    items: MANY,
    run(sink) {
      const transform = batcher();
      return Promise.all([feed(transform, sink.expected), pipeline(transform, writable(sink))]);
    },
  },
  nodeByHand: {
    framework: 'one Writable',
    how: 'batches and writers by hand in it, no stages',
    reference: true,
    items: MANY,
    async run(sink) {
      const writers = new Writers(sink);
      let items: Bar[] = [];
      const stream = new Writable({
        objectMode: true,
        highWaterMark: CAPACITY,
        write(bar: Bar, _encoding, done) {
          if (items.push(bar) < BATCH_SIZE) return done();
          const full = items;
          items = [];
          writers.write(full, done);
        },
        final(done) {
          if (items.length > 0) writers.write(items, () => writers.end(done));
          else writers.end(done);
        },
      });
      const finished = once(stream, 'finish');
      await feed(stream, sink.expected);
      await finished;
    },
  },
  streamingGenerator: {
    framework: 'streaming-iterables',
    how: 'generator, buffer, batch, transform; synchronous up to the writers',
    items: MANY,
    run: (sink) =>
      consume(
        streaming.transform(
          WRITERS,
          sink.write,
          streaming.batch(BATCH_SIZE, streaming.buffer(CAPACITY, generate(sink.expected))),
        ),
      ),
  },
  streamingIterator: {
    framework: 'streaming-iterables',
    how: 'iterator by hand, buffer, batch, transform; synchronous up to the writers',
    items: MANY,
    run: (sink) =>
      consume(
        streaming.transform(
          WRITERS,
          sink.write,
          streaming.batch(BATCH_SIZE, streaming.buffer(CAPACITY, iterate(sink.expected))),
        ),
      ),
  },
  streamingParallelMap: {
    framework: 'streaming-iterables',
    how: 'iterator by hand, buffer, batch, parallelMap; synchronous up to the writers',
    items: MANY,
    run: (sink) =>
      consume(
        streaming.parallelMap(
          WRITERS,
          sink.write,
          streaming.batch(BATCH_SIZE, streaming.buffer(CAPACITY, iterate(sink.expected))),
        ),
      ),
  },
  effectIterable: {
    framework: 'Effect Stream',
    how: 'fromIterable in chunks of its own, buffer, grouped, mapEffect',
    items: MANY,
    run: (sink) =>
      runEffect(Stream.fromIterable(iterate(sink.expected)).pipe(Stream.buffer({ capacity: CAPACITY })), sink),
  },
  effectQueue: {
    framework: 'Effect Stream',
    how: 'callback with offerUnsafe to its queue, offer where full, grouped, mapEffect',
    items: MANY,
    run: (sink) =>
      runEffect(
        Stream.callback<Bar>(
          (queue) =>
            Effect.gen(function* () {
              for (let i = 0; i < sink.expected; i++) {
                const bar = BARS[i % BARS.length] as Bar;
                if (!Queue.offerUnsafe(queue, bar)) yield* Queue.offer(queue, bar);
              }
              yield* Queue.end(queue);
            }),
          { bufferSize: CAPACITY },
        ),
        sink,
      ),
  },
  ixFlatMap: {
    framework: 'IxJS',
    how: 'from, buffer, flatMap of four',
    items: FEW,
    run: (sink) =>
      ix
        .from(iterate(sink.expected))
        .pipe(
          ixOperators.buffer(BATCH_SIZE),
          ixOperators.flatMap(async (full) => ix.of(await sink.write(full)), WRITERS),
        )
        .forEach(() => {}),
  },
  coordinator: {
    framework: 'Sluice coordinator',
    how: 'route, pace without limit, writeCoordinator by symbol with its policies and dead letters, PipelineMonitor',
    items: MANY,
    run: (sink) => coordinate(sink, { deadLetters: NO_LETTERS }),
  },
  unguardedCoordinator: {
    framework: 'Sluice coordinator',
    how: 'the same without policies',
    only: 'policies',
    items: MANY,
    run: (sink) => coordinate(sink, { breaker: false, retry: false, timeoutMs: Number.POSITIVE_INFINITY }),
  },
  guardedWriter: {
    framework: 'Sluice writer',
    how: 'boundedBuffer, batch, writeTo four at once with retry, breaker, time limit and dead letters',
    only: 'policies',
    items: MANY,
    run: (sink) =>
      write(sink, { breaker: new CircuitBreaker(), retry: {}, timeoutMs: 30_000, deadLetters: NO_LETTERS }),
  },
  unguardedWriter: {
    framework: 'Sluice writer',
    how: 'the same without policies',
    only: 'policies',
    items: MANY,
    run: (sink) => write(sink, {}),
  },
};
