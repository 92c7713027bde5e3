import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defer, lastValueFrom, type Observable, throwError, timer } from 'rxjs';
import { ignoreElements } from 'rxjs/operators';
import { describe, expect, it } from 'vitest';
import type { Sink, WriteReceipt } from '../../../src/contracts/sink.js';
import { openDeadLetters } from '../../../src/dead-letters/openDeadLetters.js';
import { PipelineMonitor } from '../../../src/flow/monitor.js';
import { withContext } from '../../../src/flow/withContext.js';
import { writeCoordinator } from '../../../src/operators/writeCoordinator.js';
import { openStore } from '../../../src/postgres/openStore.js';
import { loadSettings } from '../../../src/settings/loadSettings.js';
import { VARIABLE_NAMES, VARIABLES } from '../../../src/settings/variables.js';
import { fromIterable } from '../../../src/sources/fromIterable.js';
import { pipelineTelemetry } from '../../../src/telemetry/pipelineTelemetry.js';
import { serveTelemetry } from '../../../src/telemetry/serveTelemetry.js';
import { type MarbleHelpers, marbles } from '../../../src/testing/marbles.js';
import { coded } from '../../support/errors.js';

/** Writes that take 10 ms, or fail at once, and what was seen of them. */
class Seen implements Sink<number> {
  readonly name = 'seen';
  readonly startedAt: number[] = [];
  readonly sizes: number[] = [];
  inFlight = 0;
  mostInFlight = 0;
  constructor(
    readonly now: () => number,
    readonly fails = false,
    readonly serviceTimeMs = 10,
  ) {}

  write(items: readonly number[]): Observable<WriteReceipt> {
    return defer(() => {
      this.startedAt.push(this.now());
      this.sizes.push(items.length);
      if (this.fails) {
        return throwError(() => coded('ECONNREFUSED', 'connect ECONNREFUSED'));
      }
      this.inFlight += 1;
      this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
      return defer(() => timer(this.serviceTimeMs)).pipe(ignoreElements());
    });
  }
}

interface Ran {
  readonly sink: Seen;
  readonly monitor: PipelineMonitor;
  readonly error: unknown;
}

interface Pipeline {
  readonly items?: Observable<number>;
  readonly fails?: boolean;
  readonly serviceTimeMs?: number;
  /** Until when it runs, in virtual milliseconds. */
  readonly untilMs?: number;
  /** Chance, for jitter. */
  readonly random?: number;
  readonly withBreaker?: boolean;
}

/** Runs a whole pipeline that takes all it can from the settings of `env`. */
function runWith({ scheduler, flush }: MarbleHelpers, env: Record<string, string>, pipeline: Pipeline): Ran {
  const { coordinator, retry, breaker } = loadSettings({ env, dotenvFile: false });
  const { items = fromIterable(counting()), random = 0.5, withBreaker = false } = pipeline;
  const sink = new Seen(() => scheduler.now(), pipeline.fails, pipeline.serviceTimeMs);
  const monitor = new PipelineMonitor();
  let error: unknown;
  const policies = {
    retry,
    breaker: withBreaker && breaker,
    random: () => random,
    timeoutMs: Number.POSITIVE_INFINITY,
  };
  const subscription = items
    .pipe(writeCoordinator(sink, { ...coordinator, policies }), withContext({ monitor }))
    .subscribe({
      error(failure) {
        error = failure;
      },
    });
  const { untilMs } = pipeline;
  let seen: Ran | undefined;
  const end = () => {
    seen ??= { sink, monitor, error };
    subscription.unsubscribe();
  };
  if (untilMs !== undefined) scheduler.schedule(end, untilMs);
  flush();
  end();
  return { ...seen!, error };
}

function* counting(): Generator<number> {
  for (let n = 0; ; n++) yield n;
}

describe('settings are loaded and never applied', () => {
  it.each([
    [{}, 8_000],
    [{ MDS_COORDINATOR_CAPACITY: '10' }, 8],
    [{ MDS_COORDINATOR_CAPACITY: '100' }, 80],
  ])('MDS_COORDINATOR_CAPACITY: the gate closes at so many items (%j: %i)', (env, closesAt) =>
    marbles((helpers) => {
      let held = 0;
      const watch = new PipelineMonitor({ observer: {} });
      const { coordinator } = loadSettings({ env, dotenvFile: false });
      const sink = new Seen(() => helpers.scheduler.now(), false, 1e9);
      const subscription = fromIterable(counting())
        .pipe(writeCoordinator(sink, coordinator), withContext({ monitor: watch }))
        .subscribe();
      helpers.scheduler.schedule(() => {
        const buffer = watch.stages.find(({ kind }) => kind === 'boundedBuffer');
        expect(buffer?.gate?.state).toBe('closed');
        held = buffer?.held ?? 0;
        subscription.unsubscribe();
      }, 5_000);
      helpers.flush();
      expect(held).toBe(closesAt);
    })(),
  );

  it.each([
    [{}, 4],
    [{ MDS_COORDINATOR_WORKERS: '1' }, 1],
    [{ MDS_COORDINATOR_WORKERS: '7' }, 7],
  ])('MDS_COORDINATOR_WORKERS: so many writes are in flight (%j: %i)', (env, inFlight) =>
    marbles((helpers) => {
      const { sink } = runWith(helpers, env, { serviceTimeMs: 1e9, untilMs: 5_000 });
      expect(sink.mostInFlight).toBe(inFlight);
    })(),
  );

  it.each([
    [{}, 500],
    [{ MDS_COORDINATOR_BATCH_SIZE: '1' }, 1],
    [{ MDS_COORDINATOR_BATCH_SIZE: '750' }, 750],
  ])('MDS_COORDINATOR_BATCH_SIZE: no write is larger (%j: %i)', (env, size) =>
    marbles((helpers) => {
      const { sink } = runWith(helpers, env, { untilMs: 100 });
      expect(Math.max(...sink.sizes)).toBe(size);
    })(),
  );

  it.each([
    ['MDS_COORDINATOR_EAGER: a write waits for no other item', {}, [0], [1]],
    ['MDS_COORDINATOR_EAGER: a write waits to fill up', { MDS_COORDINATOR_EAGER: 'false' }, [250], [3]],
    [
      'MDS_COORDINATOR_FLUSH_INTERVAL: no longer than this',
      { MDS_COORDINATOR_EAGER: 'false', MDS_COORDINATOR_FLUSH_INTERVAL: '0.02' },
      [20, 120],
      [1, 2],
    ],
  ])('%s (%j: %j)', (_, env, firstAt, firstSizes) =>
    marbles((helpers) => {
      const items = helpers.hot<number>('a 99ms b 9ms c 800ms |', { a: 1, b: 2, c: 3 });
      const one = { ...env, MDS_COORDINATOR_WORKERS: '1' };
      const { sink } = runWith(helpers, one, { items });
      expect(sink.startedAt.slice(0, firstAt.length)).toEqual(firstAt);
      expect(sink.sizes.slice(0, firstSizes.length)).toEqual(firstSizes);
      expect(sink.sizes.reduce((sum, size) => sum + size, 0)).toBe(3);
    })(),
  );

  const attemptsWith = (env: Record<string, string>, random?: number): { at: number[]; error: unknown } => {
    let result: { at: number[]; error: unknown } | undefined;
    marbles((helpers) => {
      const items = helpers.cold<number>('(a|)', { a: 1 });
      const { sink, error } = runWith(helpers, env, {
        items,
        fails: true,
        // Without end where a breaker stands in the way: an outage spends no attempt.
        untilMs: 60_000,
        ...(random === undefined ? {} : { random }),
      });
      result = { at: sink.startedAt, error };
    })();
    return result!;
  };
  const EXACT = { MDS_RETRY_JITTER: 'false' };

  it.each([
    [{}, 5],
    [{ MDS_RETRY_MAX_ATTEMPTS: '1' }, 1],
    [{ MDS_RETRY_MAX_ATTEMPTS: '8' }, 8],
  ])('MDS_RETRY_MAX_ATTEMPTS: a write is tried so often (%j: %i)', (env, attempts) => {
    const { at, error } = attemptsWith(env);
    expect(at).toHaveLength(attempts);
    expect(error).toMatchObject({ attempts });
  });

  it.each([
    [{}, [0, 50, 150, 350, 750]],
    [{ MDS_RETRY_INITIAL_BACKOFF_MS: '10' }, [0, 10, 30, 70, 150]],
    [{ MDS_RETRY_INITIAL_BACKOFF_MS: '0' }, [0, 0, 0, 0, 0]],
  ])('MDS_RETRY_INITIAL_BACKOFF_MS: the first wait is so long (%j: %j)', (env, at) => {
    expect(attemptsWith({ ...EXACT, ...env }).at).toEqual(at);
  });

  it.each([
    [{}, [0, 50, 150, 350, 750, 1_550, 3_150, 5_150, 7_150]],
    [{ MDS_RETRY_MAX_BACKOFF_MS: '120' }, [0, 50, 150, 270, 390, 510, 630, 750, 870]],
  ])('MDS_RETRY_MAX_BACKOFF_MS: no wait is longer (%j: %j)', (env, at) => {
    expect(attemptsWith({ ...EXACT, MDS_RETRY_MAX_ATTEMPTS: '9', ...env }).at).toEqual(at);
  });

  it.each([
    [{}, [0, 50, 150, 350, 750]],
    [{ MDS_RETRY_BACKOFF_MULTIPLIER: '1' }, [0, 50, 100, 150, 200]],
    [{ MDS_RETRY_BACKOFF_MULTIPLIER: '3' }, [0, 50, 200, 650, 2_000]],
  ])('MDS_RETRY_BACKOFF_MULTIPLIER: each wait is so many times the one before (%j: %j)', (env, at) => {
    expect(attemptsWith({ ...EXACT, ...env }).at).toEqual(at);
  });

  it.each([
    [{ MDS_RETRY_JITTER: 'false' }, 0.5, [0, 50, 150, 350, 750]],
    [{ MDS_RETRY_JITTER: 'true' }, 0.5, [0, 25, 75, 175, 375]],
    [{}, 0.1, [0, 5, 15, 35, 75]],
  ])('MDS_RETRY_JITTER: waits are a random part of their length, or are not (%j, chance %d: %j)', (env, random, at) => {
    expect(attemptsWith(env, random).at).toEqual(at);
  });

  const writesBefore = (untilMs: number, env: Record<string, string>): number[] => {
    let at: number[] = [];
    const all = { MDS_RETRY_JITTER: 'false', MDS_RETRY_MAX_ATTEMPTS: '1000', MDS_COORDINATOR_WORKERS: '1', ...env };
    marbles((helpers) => {
      at = runWith(helpers, all, { fails: true, withBreaker: true, untilMs }).sink.startedAt;
    })();
    return at;
  };

  it.each([
    [{}, 5, 750],
    [{ MDS_CB_FAILURE_THRESHOLD: '1' }, 1, 0],
    [{ MDS_CB_FAILURE_THRESHOLD: '8' }, 8, 5_150],
  ])('MDS_CB_FAILURE_THRESHOLD: after so many failures the next write is a probe (%j: %i)', (env, failures, lastAt) => {
    expect(writesBefore(lastAt + 999, env)).toHaveLength(failures);
    expect(writesBefore(lastAt + 1_001, env)).toHaveLength(failures + 1);
  });

  it.each([
    [{}, [1_000, 1_100, 1_210, 1_331, 1_465, 1_612]],
    [
      { MDS_CB_HALF_OPEN_AFTER_SEC: '2.5' },
      [1_000, 1_100, 1_210, 1_331, 1_465, 1_612, 1_774, 1_952, 2_148, 2_363, 2_500, 2_500],
    ],
    [{ MDS_CB_HALF_OPEN_AFTER_SEC: '0.4' }, [400, 400, 400]],
  ])('MDS_CB_HALF_OPEN_AFTER_SEC: no longer after it opened a write probes (%j: %j)', (env, waits) => {
    const at = writesBefore(30_000, { ...env, MDS_CB_FAILURE_THRESHOLD: '2' }).slice(1, 2 + waits.length);
    expect(at.slice(1).map((time, index) => time - at[index]!)).toEqual(waits);
  });

  it('MDS_METRICS_PORT: metrics are served there', async () => {
    const telemetry = pipelineTelemetry();
    const serve = (env: Record<string, string>) =>
      serveTelemetry(telemetry, { port: loadSettings({ env, dotenvFile: false }).metricsPort });
    const any = await serve({ MDS_METRICS_PORT: '0' });
    expect(any.port).not.toBe(9_000);
    expect((await fetch(`http://127.0.0.1:${any.port}/metrics`)).status).toBe(200);
    await any.close();
    const again = await serve({ MDS_METRICS_PORT: String(any.port) });
    expect(again.port).toBe(any.port);
    expect((await fetch(`http://127.0.0.1:${any.port}/metrics`)).status).toBe(200);
    await again.close();
    telemetry.close();
  });

  it.each([
    [{}, '.dlq'],
    [{ MDS_DLQ_DIR: 'letters' }, 'letters'],
  ])('MDS_DLQ_DIR: dead letters lie there (%j: %s)', async (env, folder) => {
    const cwd = mkdtempSync(join(tmpdir(), 'sluice-applied-'));
    try {
      const { deadLetterFolder } = loadSettings({ env, dotenvFile: false, cwd });
      const queue = await openDeadLetters<number>(deadLetterFolder, { pipeline: 'test' });
      const diversion = { items: [1], stage: 'write', reason: 'poison', error: undefined, attempts: 1 };
      await lastValueFrom(queue.append(diversion), { defaultValue: undefined });
      await queue.close();
      expect(readdirSync(cwd)).toEqual([folder]);
      expect(readdirSync(join(cwd, folder)).length).toBeGreaterThan(0);
    } finally {
      rmSync(cwd, { recursive: true, force: true });
    }
  });

  it('DATABASE_URL: the server that it names is opened', async () => {
    const open = (url: string) => {
      const { databaseUrl, coordinator } = loadSettings({ env: { DATABASE_URL: url }, dotenvFile: false });
      return openStore({ databaseUrl: databaseUrl?.reveal(), poolSize: coordinator.workers });
    };
    await expect(open('postgres://u:hunter2@127.0.0.1:1/d')).rejects.toThrow('cannot reach Postgres at 127.0.0.1:1');
    await expect(open('postgres://u:hunter2@127.0.0.1:2/d')).rejects.toThrow('cannot reach Postgres at 127.0.0.1:2');
  });

  const pipelineWith = (env: Record<string, string>): unknown => {
    const seen: unknown[] = [];
    const record = ({ sink, monitor, error }: Ran) => {
      const stages = monitor.stages.map(({ kind, name, in: taken, out, held, gate }) => {
        return { kind, name, taken, out, held, gate: gate?.state };
      });
      seen.push({ at: sink.startedAt, sizes: sink.sizes, most: sink.mostInFlight, stages, error: String(error) });
    };
    marbles((helpers) => record(runWith(helpers, env, { untilMs: 1_000 })))();
    marbles((helpers) => {
      const items = helpers.hot<number>('a 99ms b 9ms c 800ms |', { a: 1, b: 2, c: 3 });
      record(runWith(helpers, env, { items }));
    })();
    marbles((helpers) => record(runWith(helpers, env, { fails: true, withBreaker: true, untilMs: 70_000 })))();
    return seen;
  };

  const defaults = VARIABLE_NAMES.flatMap((name): [string, string][] => {
    const variable = VARIABLES[name];
    return 'byDefault' in variable ? [[name, variable.byDefault]] : [];
  });

  it.each(defaults)('giving %s its default, %s, changes neither settings nor a pipeline', (name, text) => {
    const load = (env: Record<string, string>) => ({ ...loadSettings({ env, dotenvFile: false }), origins: 0 });
    expect(load({ [name]: text })).toEqual(load({}));
    expect(pipelineWith({ [name]: text })).toEqual(pipelineWith({}));
  });

  it('has a test here for every variable', () => {
    const tests = readFileSync(new URL(import.meta.url), 'utf8');
    for (const name of VARIABLE_NAMES) expect(tests).toContain(`'${name}: `);
  });
});
