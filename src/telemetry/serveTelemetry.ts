import {
  duration,
  func,
  integer,
  type OptionsOf,
  readArgument,
  readOptions,
  reject,
  text,
  unchecked,
} from '../primitives/options.js';
import { metricsFormat } from './metricsFormat.js';
import type { PipelineTelemetry } from './pipelineTelemetry.js';
import { readinessOf, type SinkCheck } from './readiness.js';
import { json, type Page, type PageServer, servePages } from './servePages.js';

export interface ServeTelemetryConfig {
  /** The port, from 0 to 65,535; 0 picks a free one. Default 9000. */
  readonly port?: number;
  /** The address to listen on. Default `127.0.0.1`, which only this machine reaches; `0.0.0.0` for every network. */
  readonly host?: string;
  /** Resolves if the sink can be reached. Default: the sink is not checked. */
  readonly sinkCheck?: SinkCheck;
  /** How long `sinkCheck` may take, in milliseconds, 1 or more. Default 2,000. */
  readonly sinkCheckTimeoutMs?: number;
  /** How long an answer of `sinkCheck` is reused, in milliseconds, 0 or more. Default 5,000. */
  readonly sinkCheckCacheMs?: number;
  /** Pages of your own beside these, by their path, such as `/version`. Default: none. */
  readonly pages?: Readonly<Record<string, Page>>;
  /** The clock, in milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

const OPTIONS = {
  port: integer({ min: 0, max: 65_535 }).default(9_000),
  host: text().default('127.0.0.1'),
  sinkCheck: func(),
  sinkCheckTimeoutMs: duration({ min: 1 }).default(2_000),
  sinkCheckCacheMs: duration().default(5_000),
  pages: unchecked(),
  now: func().default(Date.now),
} satisfies OptionsOf<ServeTelemetryConfig>;

/**
 * A small HTTP server to watch a program: `/metrics` for Prometheus, `/healthz` (it is alive), `/readyz` (it can
 * take work; 503 and the reasons, if not), `/topology` (stages, edges, gates and counts).
 *
 * It answers `GET` and `HEAD` to anyone who can reach the port, which by default is only this machine. The promise rejects with a
 * {@link TelemetryError} if it cannot listen.
 *
 * @example
 * ```ts
 * import { pipelineTelemetry, serveTelemetry } from 'sluice/telemetry';
 *
 * const telemetry = pipelineTelemetry();
 * const server = await serveTelemetry(telemetry, { port: 0 });
 * console.log((await fetch(`${server.url}/healthz`)).status);
 * await server.close();
 * telemetry.close();
 * ```
 */
export async function serveTelemetry(
  telemetry: PipelineTelemetry,
  config: ServeTelemetryConfig = {},
): Promise<PageServer> {
  const owner = 'serveTelemetry';
  const { port, host, now, ...checks } = readOptions(owner, config, OPTIONS);
  const readiness = readinessOf({ ...checks, now });
  const startedAt = now();
  const pages: Record<string, Page> = {
    '/metrics': async ({ headers }) => ({ status: 200, ...(await telemetry.metrics(metricsFormat(headers.accept))) }),
    '/healthz': () => {
      const uptimeSeconds = Math.max(0, now() - startedAt) / 1_000;
      return json(200, { status: 'alive', uptimeSeconds, eventLoopDelaySeconds: telemetry.eventLoopDelay() });
    },
    '/readyz': async () => {
      const report = await readiness(telemetry.blockers());
      return json(report.ready ? 200 : 503, report);
    },
    '/topology': () => json(200, { pipelines: telemetry.topology() }),
  };
  const own = Object.keys(pages).join(', ');
  for (const [path, page] of Object.entries(config.pages ?? {})) {
    if (!path.startsWith('/') || Object.hasOwn(pages, path)) {
      reject(`${owner}: pages`, 'a path', `one that begins with "/", other than ${own}`, path);
    }
    pages[path] = readArgument(`${owner}: pages`, path, page, func()) as Page;
  }
  return servePages({ port, host, pages });
}
