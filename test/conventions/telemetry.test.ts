import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { METRICS } from '../../src/telemetry/catalogue.js';
import { pages, src } from './house.js';
import { ROOT } from './repository.js';
import {
  type Alert,
  alertsOf,
  anchorsOf,
  catalogueRows,
  type Dashboard,
  dashboardQueries,
  exportedSeries,
  metricNamesIn,
  runbookProblems,
} from './rules/telemetry.js';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const dashboard = JSON.parse(read('dashboards/grafana.json')) as Dashboard;
const alerts = alertsOf(read('dashboards/alerts.yml'));
const series = exportedSeries(Object.values(METRICS));

describe('the dashboard', () => {
  it('reads metrics that exist', () => {
    const unknown = dashboardQueries(dashboard)
      .flatMap(metricNamesIn)
      .filter((name) => !series.has(name));
    expect(unknown).toEqual([]);
  });

  it('shows every metric', () => {
    const shown = new Set(dashboardQueries(dashboard).flatMap(metricNamesIn));
    const missing = Object.values(METRICS).filter(
      ({ name, type }) => !shown.has(type === 'histogram' ? `${name}_bucket` : name),
    );
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  it('can be imported anywhere: its data source is a variable', () => {
    const [first] = dashboard.templating.list;
    expect(first).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
    const sources = JSON.stringify(dashboard).match(/"uid":"[^"]*"/g);
    expect(new Set(sources)).toEqual(new Set(['"uid":"sluice"', '"uid":"$' + '{datasource}"']));
    expect(dashboard).not.toHaveProperty('id');
  });

  it('has panels with ids and titles of their own that do not overlap', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const {
      gridPos: { x, y, w, h },
      title,
    } of panels) {
      expect(x + w, title).toBeLessThanOrEqual(24);
      for (let column = x; column < x + w; column++) {
        for (let line = y; line < y + h; line++) {
          expect(taken.has(`${column},${line}`), `${title} overlaps at ${column},${line}`).toBe(false);
          taken.add(`${column},${line}`);
        }
      }
    }
  });
});

describe('the alerts', () => {
  it('read metrics that exist', () => {
    const unknown = alerts.flatMap(({ expr }) => metricNamesIn(expr)).filter((name) => !series.has(name));
    expect(unknown).toEqual([]);
  });

  it('have a page in the runbook, and the runbook has no others', () => {
    expect(alerts.length).toBeGreaterThan(10);
    expect(runbookProblems(alerts, pages.get('docs/runbook.md') ?? '')).toEqual([]);
  });

  it('each have tests that make it fire and keep it quiet', () => {
    const names = [
      ...read('dashboards/alerts.test.yml').matchAll(/^ {2}- name: (\w+ (?:fires|keeps quiet))(?: .*)?$/gm),
    ];
    expect([...new Set(names.map(([, name]) => name))]).toEqual(
      alerts.flatMap(({ alert }) => [`${alert} fires`, `${alert} keeps quiet`]),
    );
  });
});

describe('docs/telemetry.md', () => {
  it('has a row for every metric, with its type, labels and help', () => {
    const page = pages.get('docs/telemetry.md') ?? '';
    const rows = page.split('\n').filter((line) => /^\| `(mds|sink|sluice)_/.test(line));
    expect(rows).toEqual(catalogueRows(Object.values(METRICS)));
  });

  it('is linked, as the runbook is', () => {
    const index = pages.get('docs/README.md') ?? '';
    expect(index).toContain('](telemetry.md)');
    expect(index).toContain('](runbook.md)');
  });
});

describe('the libraries of telemetry', () => {
  it.each([
    ['prom-client', 'src/telemetry/metrics.ts'],
    ['pino', 'src/telemetry/createLogger.ts'],
  ])('%s is imported by %s alone, so that only sluice/telemetry loads it', (library, place) => {
    const naming = [...src].filter(([, text]) => text.includes(`'${library}'`)).map(([path]) => path);
    expect(naming).toEqual([place]);
  });
});

describe('the rules find', () => {
  it('names of metrics in a query, and not labels, functions or text', () => {
    const query =
      'histogram_quantile(0.9, sum by (le, mds_x) (rate(sink_a_bucket{stage="sluice_b",x=~"y"}[5m]))) and up{job="sluice"} == 1';
    expect(metricNamesIn(query)).toEqual(['sink_a_bucket', 'up']);
  });

  it('alerts with all of their expression', () => {
    const text = [
      'groups:',
      '  - name: g',
      '    rules:',
      '      - alert: One',
      '        expr: sluice_a > 0',
      '        annotations:',
      '          runbook_url: docs/runbook.md#one',
      '      - alert: Two',
      '        expr: |',
      '          sluice_b',
      '            > 1',
      '        for: 5m',
    ].join('\n');
    expect(alertsOf(text)).toEqual([
      { alert: 'One', expr: 'sluice_a > 0', runbook: 'docs/runbook.md#one' },
      { alert: 'Two', expr: 'sluice_b > 1', runbook: undefined },
    ]);
  });

  it('alerts without a page, with the page of another, and pages without an alert', () => {
    const alert = (name: string, anchor = name.toLowerCase()): Alert => ({
      alert: name,
      expr: 'up',
      runbook: `docs/runbook.md#${anchor}`,
    });
    const runbook = '## Alerts\n\n### SluiceA\n\n### SluiceGone\n';
    expect(anchorsOf(runbook)).toEqual(new Set(['alerts', 'sluicea', 'sluicegone']));
    expect(runbookProblems([alert('SluiceA'), alert('SluiceB'), alert('SluiceC', 'sluicea')], runbook)).toEqual([
      'SluiceB: docs/runbook.md has no #sluiceb',
      'SluiceC: its runbook_url must be docs/runbook.md#sluicec, got docs/runbook.md#sluicea',
      'docs/runbook.md describes SluiceGone, which is no alert',
    ]);
  });
});
