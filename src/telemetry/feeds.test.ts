import { Observable } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { watch } from '../../test/support/telemetryBench.js';
import { contextOf } from '../flow/context.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { run } from '../pipelines/run.js';
import { createLogger } from './createLogger.js';
import { logPipeline } from './logPipeline.js';
import { serveTelemetry } from './serveTelemetry.js';

const NOW = Date.UTC(2026, 0, 5, 14, 30);

/** A feed that has counted something of everything, each another number. */
function busyFeed(monitor: PipelineMonitor) {
  const account = monitor.registerFeed('massive');
  account.waits(() => 13);
  Object.assign(account, {
    messages: 3,
    bytes: 400,
    records: 11,
    unreadable: 2,
    reconnects: 1,
    conflated: 5,
    replaced: 6,
  });
  Object.assign(account, { overflowed: 7, asked: 9, confirmed: 8, refused: 1, lastMessageAt: NOW - 2_500 });
  account.countGap('reconnect');
  account.countGap('reconnect');
  account.countGap('overflow');
  account.state = 'live';
  return account;
}

const MASSIVE = 'pipeline="ticks",provider="massive"';

describe('the metrics of providers', () => {
  it('are read from the feeds of a monitor', async () => {
    const { telemetry, monitor, read } = watch({ now: () => NOW });
    telemetry.bind(monitor, { pipeline: 'ticks' });
    expect(await read('sluice_provider_state')).toEqual({});
    busyFeed(monitor);
    expect(await read('sluice_provider_state')).toEqual({
      [`${MASSIVE},state="connecting"`]: 0,
      [`${MASSIVE},state="live"`]: 1,
      [`${MASSIVE},state="stale"`]: 0,
      [`${MASSIVE},state="down"`]: 0,
    });
    expect(await read('sluice_provider_messages_total')).toEqual({ [MASSIVE]: 3 });
    expect(await read('sluice_provider_bytes_total')).toEqual({ [MASSIVE]: 400 });
    expect(await read('sluice_provider_records_total')).toEqual({ [MASSIVE]: 11 });
    expect(await read('sluice_provider_unreadable_total')).toEqual({ [MASSIVE]: 2 });
    expect(await read('sluice_provider_reconnects_total')).toEqual({ [MASSIVE]: 1 });
    expect(await read('sluice_provider_silence_seconds')).toEqual({ [MASSIVE]: 2.5 });
    expect(await read('sluice_provider_waiting_records')).toEqual({ [MASSIVE]: 13 });
    expect(await read('sluice_provider_overflowed_total')).toEqual({ [MASSIVE]: 7 });
    expect(await read('sluice_provider_conflated_total')).toEqual({
      [`${MASSIVE},reason="conflated"`]: 5,
      [`${MASSIVE},reason="replaced"`]: 6,
    });
    expect(await read('sluice_provider_subscriptions')).toEqual({
      [`${MASSIVE},state="asked"`]: 9,
      [`${MASSIVE},state="confirmed"`]: 8,
      [`${MASSIVE},state="refused"`]: 1,
    });
    expect(await read('sluice_provider_gaps_total')).toEqual({
      [`${MASSIVE},cause="reconnect"`]: 2,
      [`${MASSIVE},cause="overflow"`]: 1,
      [`${MASSIVE},cause="restart"`]: 0,
      [`${MASSIVE},cause="stale"`]: 0,
      [`${MASSIVE},cause="sequence"`]: 0,
    });
  });

  it('say nothing of a silence before the first message, nor of one in the future', async () => {
    const { telemetry, monitor, read } = watch({ now: () => NOW });
    telemetry.bind(monitor, { pipeline: 'ticks' });
    const account = monitor.registerFeed('massive');
    expect(await read('sluice_provider_silence_seconds')).toEqual({});
    account.lastMessageAt = NOW + 60_000;
    expect(await read('sluice_provider_silence_seconds')).toEqual({ [MASSIVE]: 0 });
  });

  it('keep what was counted when the pipeline ends, and count nothing twice when its monitor runs again', async () => {
    const { telemetry, monitor, read } = watch({ now: () => NOW });
    const account = busyFeed(monitor);
    telemetry.bind(monitor, { pipeline: 'ticks' })();
    expect(await read('sluice_provider_messages_total')).toEqual({ [MASSIVE]: 3 });
    expect(await read('sluice_provider_state')).toEqual({});
    telemetry.bind(monitor, { pipeline: 'ticks' });
    account.messages += 4;
    account.countGap('stale');
    expect(await read('sluice_provider_messages_total')).toEqual({ [MASSIVE]: 7 });
    expect(await read('sluice_provider_gaps_total')).toMatchObject({ [`${MASSIVE},cause="stale"`]: 1 });
    expect(await read('sluice_provider_state')).toMatchObject({ [`${MASSIVE},state="live"`]: 1 });
  });

  it('do not miss a provider that nobody wants any more, nor those of a run that was asked to end', async () => {
    const { telemetry, monitor, read } = watch({ now: () => NOW });
    const account = busyFeed(monitor);
    const observer = telemetry.pipeline('ticks');
    observer.attach?.(monitor);
    account.close();
    expect(await read('sluice_provider_state')).toEqual({});
    expect(await read('sluice_provider_records_total')).toEqual({ [MASSIVE]: 11 });
    account.reopen();
    observer.draining?.('SIGTERM');
    account.close();
    observer.finished?.(undefined as never);
    expect(await read('sluice_provider_state')).toEqual({});
  });

  it('show a provider as down whose stream has failed, and its pipeline with it', async () => {
    const { telemetry, monitor, read } = watch({ now: () => NOW });
    const account = busyFeed(monitor);
    const observer = telemetry.pipeline('ticks');
    observer.attach?.(monitor);
    account.close();
    observer.draining?.('failure');
    observer.finished?.(undefined as never);
    expect(await read('sluice_provider_state')).toMatchObject({ [`${MASSIVE},state="down"`]: 1 });
    expect(await read('sluice_provider_subscriptions')).toMatchObject({ [`${MASSIVE},state="confirmed"`]: 0 });
  });
});

describe('the server', () => {
  it('names providers where it says whether the program is ready, and none makes it unready', async () => {
    const { telemetry, monitor } = watch({ now: () => NOW });
    telemetry.bind(monitor, { pipeline: 'ticks' });
    const server = await serveTelemetry(telemetry, { port: 0 });
    onTestFinished(() => server.close());
    const account = busyFeed(monitor);
    account.lastError = 'massive: reset by peer';
    account.state = 'down';
    const ready = await fetch(`${server.url}/readyz`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({
      ready: true,
      feeds: [{ pipeline: 'ticks', provider: 'massive', state: 'down' }],
    });
    const topology = await (await fetch(`${server.url}/topology`)).json();
    expect(topology).toMatchObject({
      pipelines: [
        {
          feeds: [
            {
              id: 'massive',
              state: 'down',
              records: 11,
              gapsBy: { reconnect: 2, overflow: 1 },
              lastError: 'massive: reset by peer',
              lastNotice: null,
              lastMessageAt: NOW - 2_500,
            },
          ],
        },
      ],
    });
  });
});

describe('the log', () => {
  it('tells the states of a provider with the reason, and what the vendor says, without secrets', () => {
    const lines: Record<string, unknown>[] = [];
    const logger = createLogger({ destination: { write: (line) => lines.push(JSON.parse(line)) } });
    const monitor = new PipelineMonitor();
    monitor.observe(logPipeline(logger, { now: () => NOW }).attach(monitor));
    const account = monitor.registerFeed('massive');
    Object.assign(account, { asked: 2, confirmed: 2 });
    account.state = 'live';
    account.lastError = 'massive: wss://me:hunter2@host was reset';
    account.state = 'down';
    account.state = 'connecting';
    account.lastNotice = 'maintenance at noon, password=hunter2';
    account.state = 'stale';
    expect(lines).toMatchObject([
      { level: 'info', provider: 'massive', to: 'live', confirmed: 2, msg: 'the provider is live' },
      { level: 'warn', from: 'live', to: 'down', error: expect.stringContaining('was reset') },
      { level: 'warn', notice: expect.stringContaining('maintenance at noon'), msg: 'the provider says' },
      { level: 'warn', from: 'connecting', to: 'stale', msg: 'the provider is stale' },
    ]);
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });

  it('does not repeat a provider that comes and goes, and says how often it did', () => {
    const lines: Record<string, unknown>[] = [];
    const logger = createLogger({ destination: { write: (line) => lines.push(JSON.parse(line)) } });
    const monitor = new PipelineMonitor();
    let now = NOW;
    monitor.observe(logPipeline(logger, { now: () => now, repeatMs: 10_000 }).attach(monitor));
    const account = monitor.registerFeed('massive');
    for (let turn = 0; turn < 5; turn++) {
      account.state = 'down';
      account.state = 'connecting';
    }
    now += 10_000;
    account.state = 'down';
    expect(lines.map(({ to, repeated }) => [to, repeated])).toEqual([
      ['down', undefined],
      ['down', 4],
    ]);
  });

  it('hears the feeds of a run', async () => {
    const lines: Record<string, unknown>[] = [];
    const logger = createLogger({ destination: { write: (line) => lines.push(JSON.parse(line)) } });
    const provider$ = new Observable<number>((subscriber) => {
      const account = contextOf(subscriber).monitor.registerFeed?.('massive');
      if (account) account.state = 'live';
      subscriber.complete();
    });
    await run(provider$, { signals: [], observe: [logPipeline(logger)] });
    expect(lines.map(({ msg }) => msg)).toContain('the provider is live');
  });
});
