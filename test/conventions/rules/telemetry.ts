import type { MetricInfo } from '../../../src/telemetry/metrics.js';

/** As much of a Grafana dashboard as is checked. */
export interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly query: unknown }[];
  };
}

export interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

export function dashboardQueries({ panels }: Dashboard): string[] {
  return panels.flatMap(({ targets }) => (targets ?? []).map(({ expr }) => expr));
}

/** The metrics that a query reads: `up`, and what has one of our prefixes and is neither in quotes nor in a list of labels. */
export function metricNamesIn(query: string): string[] {
  const bare = query.replace(/"(?:[^"\\]|\\.)*"/g, '""').replace(/\b(?:by|on|without|ignoring)\s*\([^)]*\)/g, '');
  return bare.match(/\b(?:(?:mds|sink|sluice)_\w+|up\b)/g) ?? [];
}

/** The names of the series that a scrape has, `up` among them, which Prometheus adds. */
export function exportedSeries(metrics: readonly MetricInfo[]): Set<string> {
  return new Set([
    'up',
    ...metrics.flatMap(({ name, type }) =>
      type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name],
    ),
  ]);
}

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly runbook: string | undefined;
}

/** The alerts of a file of rules, which is written in one way: two spaces more a level, long expressions behind a `|`. */
export function alertsOf(yaml: string): Alert[] {
  return yaml
    .split(/^ {6}- alert: /m)
    .slice(1)
    .map((block) => {
      const alert = block.slice(0, block.indexOf('\n')).trim();
      const [, short, long] = /^ {8}expr: (?:(?!\|)(.*)|\|\n((?: {10}.*\n?)+))/m.exec(block) ?? [];
      const expr = (short ?? long ?? '').trim().split(/\s+/).join(' ');
      return { alert, expr, runbook: /^ {10}runbook_url: (.*)$/m.exec(block)?.[1] };
    });
}

/** Where a link into a page may point. The headings of the runbook are plain words. */
export function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#{2,} (.*)$/gm)].map(([, heading = '']) => heading);
  return new Set(headings.map((heading) => heading.toLowerCase().replaceAll(' ', '-')));
}

export function runbookProblems(alerts: readonly Alert[], runbook: string): string[] {
  const anchors = anchorsOf(runbook);
  const names = new Set(alerts.map(({ alert }) => alert));
  const problems = alerts.flatMap(({ alert, runbook: link }) => {
    const wanted = `docs/runbook.md#${alert.toLowerCase()}`;
    if (link !== wanted) return [`${alert}: its runbook_url must be ${wanted}, got ${link}`];
    return anchors.has(alert.toLowerCase()) ? [] : [`${alert}: docs/runbook.md has no #${alert.toLowerCase()}`];
  });
  const described = [...runbook.matchAll(/^### (Sluice\w+)$/gm)].map(([, name = '']) => name);
  return [
    ...problems,
    ...described
      .filter((name) => !names.has(name))
      .map((name) => `docs/runbook.md describes ${name}, which is no alert`),
  ];
}

/** The rows of the table in docs/telemetry.md. */
export function catalogueRows(metrics: readonly MetricInfo[]): string[] {
  return metrics.map(({ name, type, labels, help }) => {
    const list = labels.map((label) => `\`${label}\``).join(', ') || 'none';
    return `| \`${name}\` | ${type} | ${list} | ${help} |`;
  });
}
