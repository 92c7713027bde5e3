import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { map, of, Subject, takeUntil, timer } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gatedSource } from '../../src/flow/gatedSource.js';
import { PipelineMonitor } from '../../src/flow/monitor.js';
import { withContext } from '../../src/flow/withContext.js';
import { boundedBuffer } from '../../src/operators/boundedBuffer.js';
import { pace } from '../../src/operators/pace.js';
import { writeCoordinator } from '../../src/operators/writeCoordinator.js';
import { METRICS } from '../../src/telemetry/catalogue.js';
import { type PipelineTelemetry, pipelineTelemetry } from '../../src/telemetry/pipelineTelemetry.js';
import type { PageServer } from '../../src/telemetry/servePages.js';
import { serveTelemetry } from '../../src/telemetry/serveTelemetry.js';
import { ROOT } from '../conventions/repository.js';
import { alertsOf, type Dashboard, dashboardQueries, metricNamesIn } from '../conventions/rules/telemetry.js';
import { coded } from '../support/errors.js';
import { hasProgram, Prometheus, REMEDY } from './prometheus.js';

const missing = ['promtool', 'prometheus'].filter((name) => !hasProgram(name));
const isMissing = missing.length > 0;
const inCI = process.env.CI === 'true';
const alertsFile = join(ROOT, 'dashboards', 'alerts.yml');

interface Tick {
  readonly n: number;
  readonly ts: number;
}

/** A pipeline of everyday troubles, in real time: its sink refuses items and is down now and then, its source drops some. */
function startPipeline(telemetry: PipelineTelemetry): () => void {
  const monitor = new PipelineMonitor();
  const stop = new Subject<void>();
  const letters = { appended: 0, replayed: 0 };
  const tallyOf = (count: number) => ({ letters: count, items: count });
  const unbind = telemetry.bind(monitor, {
    pipeline: 'ticks',
    gaps: { open: 1, byCause: [{ cause: 'reconnect', open: 1, oldest: Date.now() - 60_000 }] },
    deadLetters: {
      holding: undefined,
      stats: () => ({
        open: tallyOf(letters.appended - letters.replayed),
        parked: tallyOf(0),
        appended: tallyOf(letters.appended),
        replayed: tallyOf(letters.replayed),
        quarantined: 0,
      }),
    },
  });
  const source = gatedSource<Tick>({ name: 'ticks' }, (outlet) => {
    let n = 0;
    outlet.pump(() => {
      n += 1;
      if (n % 50 === 0) outlet.drop('unreadable');
      outlet.next({ n, ts: Date.now() });
    });
  });
  let writes = 0;
  const sink = {
    name: 'bars',
    write: (items: readonly Tick[]) =>
      timer(5).pipe(
        map(() => {
          writes += 1;
          if (writes % 10 === 0) throw coded('57P01', 'down');
          if (items.some(({ n }) => n % 97 === 0)) throw coded('22P02', 'bad row');
          return { rows: items.length };
        }),
      ),
  };
  const deadLetters = {
    append: () => {
      letters.appended += 1;
      if (letters.appended % 2 === 0) letters.replayed += 1;
      return of(undefined);
    },
  };
  source
    .pipe(
      pace({ rate: 500, perMs: 1_000 }),
      boundedBuffer({ capacity: 10, name: 'front' }),
      writeCoordinator(sink, {
        workers: 2,
        batchSize: 20,
        policies: { deadLetters, retry: { initialMs: 1, maxMs: 5 } },
      }),
      withContext({ monitor }),
      takeUntil(stop),
    )
    .subscribe();
  const feed = monitor.registerFeed('massive');
  feed.state = 'live';
  const router = monitor.registerRouting('providerRouter', 'failover');
  const common = { state: 'live', lastError: undefined };
  router.reads(() => [
    { name: 'ibkr', isActive: false, isWell: false, ...common },
    { name: 'massive', isActive: true, isWell: true, ...common },
  ]);
  const messages = setInterval(() => {
    router.switched({ at: Date.now(), from: 'ibkr', to: 'massive', reason: 'silent' });
    feed.messages += 1;
    feed.lastMessageAt = Date.now();
  }, 100);
  return () => {
    clearInterval(messages);
    stop.next();
    unbind();
  };
}

/** Prometheus knows nothing of a dashboard's variables. */
function filledIn(query: string): string {
  return query.replaceAll('$__rate_interval', '10s').replaceAll(/\$(instance|pipeline|coordinator)\b/g, '.*');
}

function promtool(args: readonly string[], input?: string) {
  const { status, stdout, stderr } = spawnSync('promtool', args, {
    encoding: 'utf8',
    cwd: join(ROOT, 'dashboards'),
    input,
  });
  return { status, said: stdout + stderr };
}

if (isMissing) {
  const what = `Prometheus: not tested, for there is no ${missing.join(' and no ')} here (${REMEDY})`;
  it.skipIf(!inCI)(what, () => {
    throw new Error(`CI must test against a real Prometheus: ${REMEDY}`);
  });
}

describe.skipIf(isMissing)('Prometheus', () => {
  let telemetry: PipelineTelemetry;
  let server: PageServer;
  let prometheus: Prometheus;
  let stopPipeline: () => void;

  beforeAll(async () => {
    telemetry = pipelineTelemetry();
    stopPipeline = startPipeline(telemetry);
    server = await serveTelemetry(telemetry, { port: 0 });
    prometheus = await Prometheus.start(`${server.host}:${server.port}`, alertsFile);
  }, 60_000);

  afterAll(async () => {
    stopPipeline?.();
    await prometheus?.stop();
    await server?.close();
    telemetry?.close();
  });

  it('finds nothing to say about the metrics', async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    expect(text).toContain('mds_worker_batches_written_total{coord_id="bars",worker_id="1"}');
    expect(promtool(['check', 'metrics'], text)).toEqual({ status: 0, said: '' });
  });

  it('finds nothing to say about the rules, and their tests pass', () => {
    expect(promtool(['check', 'rules', 'alerts.yml'])).toMatchObject({ status: 0 });
    const { status, said } = promtool(['test', 'rules', 'alerts.test.yml']);
    expect(status, said).toBe(0);
  });

  it('scrapes the program, in OpenMetrics', async () => {
    await prometheus.until(async () => (await prometheus.targets()).some(({ health }) => health === 'up'));
    expect(await prometheus.targets()).toEqual([expect.objectContaining({ health: 'up', lastError: '' })]);
    const metadata = await prometheus.metadata();
    for (const { name, type, help } of Object.values(METRICS)) {
      // The family of a counter is without its ending in OpenMetrics.
      const family = type === 'counter' ? name.replace(/_total$/, '') : name;
      expect(metadata[family], name).toEqual([expect.objectContaining({ type, help })]);
    }
  }, 60_000);

  it('answers every query of the dashboard', async () => {
    const dashboard = JSON.parse(readFileSync(join(ROOT, 'dashboards', 'grafana.json'), 'utf8')) as Dashboard;
    const queries = dashboardQueries(dashboard).map(filledIn);
    expect(queries.length).toBeGreaterThan(30);
    for (const query of queries) {
      expect(query).not.toContain('$');
      // Rates need two scrapes, and quantiles something that has happened between them.
      await prometheus.until(async () => (await prometheus.query(query)).length > 0);
      for (const { value } of await prometheus.query(query)) expect(value[1], query).toMatch(/^-?[\d.e+-]+$|^NaN$/);
    }
  }, 60_000);

  it('evaluates every alert, and has the series that each reads', async () => {
    const alerts = alertsOf(readFileSync(alertsFile, 'utf8'));
    await prometheus.until(async () => (await prometheus.rules()).every(({ health }) => health !== 'unknown'));
    const rules = await prometheus.rules();
    expect(rules.map(({ name }) => name)).toEqual(alerts.map(({ alert }) => alert));
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    for (const name of alerts.flatMap(({ expr }) => metricNamesIn(expr))) {
      expect(await prometheus.query(name), name).not.toEqual([]);
    }
  }, 60_000);

  it('sees an account that adds up', async () => {
    await prometheus.until(
      async () => Number((await prometheus.query('sluice_items_written_total'))[0]?.value[1]) > 100,
    );
    const unaccounted = await prometheus.query('sluice_conservation_items');
    expect(unaccounted.map(({ metric, value }) => [metric.pipeline, value[1]])).toEqual([['ticks', '0']]);
    const difference = await prometheus.query(
      'sluice_items_received_total - on (pipeline) (sluice_items_written_total + sluice_items_held + sluice_items_filtered + sluice_items_delivered_total' +
        ' + on (pipeline) sum by (pipeline) (sluice_items_diverted_total) + on (pipeline) sum by (pipeline) (sluice_items_dropped_total))',
    );
    expect(difference.map(({ value }) => value[1])).toEqual(['0']);
  }, 60_000);
});
