import { describe, expect, it } from 'vitest';
import { watch } from '../../test/support/telemetryBench.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { createLogger } from './createLogger.js';
import { logPipeline } from './logPipeline.js';

/** A router away from its first provider. */
function busyRouter(monitor: PipelineMonitor) {
  const account = monitor.registerRouting('providerRouter', 'failover');
  account.reads(() => [
    { name: 'ibkr', isActive: false, isWell: false, state: 'resting', lastError: 'ibkr: kicked' },
    { name: 'massive', isActive: true, isWell: true, state: 'live', lastError: undefined },
  ]);
  account.switched({ at: 7, from: 'ibkr', to: 'massive', reason: 'silent' });
  return account;
}

const ROUTER = 'pipeline="ticks",router="providerRouter"';

describe('a router', () => {
  it('has metrics of who delivers, who is well, and why others took over', async () => {
    const { telemetry, monitor, read } = watch();
    telemetry.bind(monitor, { pipeline: 'ticks' });
    expect(await read('sluice_router_active')).toEqual({});
    const account = busyRouter(monitor);
    const of = (provider: string) => `${ROUTER},provider="${provider}"`;
    expect(await read('sluice_router_active')).toEqual({ [of('ibkr')]: 0, [of('massive')]: 1 });
    expect(await read('sluice_router_well')).toEqual({ [of('ibkr')]: 0, [of('massive')]: 1 });
    const switches = (silent: number, preferred: number) => ({
      [`${ROUTER},reason="silent"`]: silent,
      [`${ROUTER},reason="failing"`]: 0,
      [`${ROUTER},reason="ended"`]: 0,
      [`${ROUTER},reason="preferred"`]: preferred,
    });
    expect(await read('sluice_router_switches_total')).toEqual(switches(1, 0));
    account.switched({ at: 8, from: 'massive', to: 'ibkr', reason: 'preferred' });
    expect(await read('sluice_router_switches_total')).toEqual(switches(1, 1));
    account.close();
    expect(await read('sluice_router_well')).toEqual({});
    expect(await read('sluice_router_switches_total')).toEqual(switches(1, 1));
  });

  it('is in the topology, with why a provider is away', () => {
    const { telemetry, monitor } = watch();
    telemetry.bind(monitor, { pipeline: 'ticks' });
    busyRouter(monitor);
    expect(telemetry.topology()[0]!.routers).toEqual([
      {
        id: 'providerRouter',
        name: 'providerRouter',
        strategy: 'failover',
        isLive: true,
        providers: [
          { name: 'ibkr', isActive: false, isWell: false, state: 'resting', lastError: 'ibkr: kicked' },
          { name: 'massive', isActive: true, isWell: true, state: 'live', lastError: undefined },
        ],
        switches: { silent: 1 },
        lastSwitch: { at: 7, from: 'ibkr', to: 'massive', reason: 'silent' },
      },
    ]);
  });

  it('logs each switch, and each provider that has ended for good, without secrets', () => {
    const lines: string[] = [];
    const logger = createLogger({ destination: { write: (line: string) => void lines.push(line) } });
    const monitor = new PipelineMonitor();
    monitor.observe(logPipeline(logger).attach());
    const account = busyRouter(monitor);
    account.ended('ibkr', new Error('refused postgres://user:secret@host'));
    const logged = lines.map((line) => JSON.parse(line));
    expect(logged).toMatchObject([
      {
        level: 'warn',
        router: 'providerRouter',
        from: 'ibkr',
        to: 'massive',
        reason: 'silent',
        msg: 'massive delivers in place of ibkr',
      },
      { level: 'error', router: 'providerRouter', provider: 'ibkr', msg: 'the provider has ended for good' },
    ]);
    expect(lines.join()).not.toContain('secret');
  });

  it('comes back under its old account', () => {
    const monitor = new PipelineMonitor();
    const first = busyRouter(monitor);
    expect(monitor.registerRouting('providerRouter', 'failover').id).toBe('providerRouter#2');
    first.close();
    expect(monitor.registerRouting('providerRouter', 'failover')).toBe(first);
    expect(monitor.routings).toHaveLength(2);
  });
});
