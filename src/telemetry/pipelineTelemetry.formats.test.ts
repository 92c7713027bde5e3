import { Counter, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { watch } from '../../test/support/telemetryBench.js';
import { PipelineMonitor } from '../flow/monitor.js';
import { METRICS } from './catalogue.js';
import type { MetricsFormat } from './metrics.js';
import { pipelineTelemetry } from './pipelineTelemetry.js';

describe('the formats', () => {
  it('have every metric by its exact name, type, help and labels', async () => {
    const { scrape } = watch();
    const text = await scrape();
    const open = await scrape('openmetrics');
    for (const { name, type, help } of Object.values(METRICS)) {
      expect(text).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
      const family = type === 'counter' ? name.replace(/_total$/, '') : name;
      expect(open).toContain(`# HELP ${family} ${help}\n# TYPE ${family} ${type}\n`);
    }
    expect(open.match(/# EOF\n/g)).toHaveLength(1);
    expect(open.endsWith('\n# EOF\n')).toBe(true);
    expect(text).not.toContain('EOF');
  });

  it('do not disturb each other, though one renames counters while it writes', async () => {
    const { telemetry, monitor, scrape } = watch();
    telemetry.bind(monitor, { gaps: { open: 1 } });
    const [text, open, again] = await Promise.all([scrape(), scrape('openmetrics'), scrape()]);
    expect(again).toBe(text);
    expect(await scrape('openmetrics')).toBe(open);
    expect(open).toContain('\nsluice_gaps_open{pipeline="default",cause="any"} 1\n');
  });

  it('are those two', () => {
    const { telemetry } = watch();
    expect(() => telemetry.metrics('json' as MetricsFormat)).toThrow(/format must be one of "text", "openmetrics"/);
  });
});

describe('a registry of the program', () => {
  it('has its metrics and ours, in both formats, and ours no more when telemetry is closed', async () => {
    const registry = new Registry();
    registry.setDefaultLabels({ app: 'mine' });
    new Counter({ name: 'own_total', help: 'Own.', registers: [registry] }).inc(3);
    const { telemetry, monitor, scrape } = watch({ registry });
    telemetry.bind(monitor, { gaps: { open: 1 } });
    const text = await registry.metrics();
    expect(text).toContain('own_total{app="mine"} 3');
    expect(text).toContain('sluice_gaps_open{pipeline="default",cause="any",app="mine"} 1');
    const open = await scrape('openmetrics');
    expect(open).toContain('# TYPE own counter\nown_total{app="mine"} 3');
    expect(open).toContain('sluice_gaps_open{pipeline="default",cause="any",app="mine"} 1');
    expect(await scrape()).toContain('# TYPE own_total counter');
    telemetry.close();
    expect(await registry.metrics()).not.toContain('sluice_');
    expect(await registry.metrics()).toContain('own_total{app="mine"} 3');
  });

  it('takes one telemetry, and is as it was when it refuses another', async () => {
    const registry = new Registry();
    watch({ registry });
    expect(() => pipelineTelemetry({ registry })).toThrow(
      expect.objectContaining({
        code: 'SLUICE_TELEMETRY_REGISTRY',
        message: expect.stringContaining('give each telemetry its own registry'),
      }),
    );
    expect(await registry.metrics()).toContain('sluice_draining 0');
  });
});

describe('telemetry refuses', () => {
  it('a monitor twice, and a name twice while the first is there', () => {
    const { telemetry, monitor } = watch();
    const unbind = telemetry.bind(monitor, { pipeline: 'a' });
    expect(() => telemetry.bind(monitor, { pipeline: 'b' })).toThrow(/bound already/);
    expect(() => telemetry.bind(new PipelineMonitor(), { pipeline: 'a' })).toThrow(
      /pipeline must be a name that no running pipeline has, got "a"/,
    );
    unbind();
    expect(() => telemetry.bind(new PipelineMonitor(), { pipeline: 'a' })).not.toThrow();
  });

  it('what it cannot show', () => {
    const { telemetry, monitor } = watch();
    expect(() => telemetry.bind(monitor, { gaps: 3 as never })).toThrow(/gaps must .* got 3/);
    expect(() => telemetry.bind(monitor, { pipeline: '' })).toThrow(/pipeline/);
    expect(() => telemetry.bind(monitor, { name: 'x' } as object)).toThrow(/unknown option "name"/);
    expect(() => pipelineTelemetry({ registr: 1 } as object)).toThrow(/unknown option "registr"/);
    expect(() => pipelineTelemetry({ now: 5 as unknown as () => number })).toThrow(/now must be a function/);
  });
});
