import Negotiator from 'negotiator';
import type { MetricsFormat } from './metrics.js';

const TEXT = 'text/plain; version=0.0.4';
const OPENMETRICS = 'application/openmetrics-text; version=1.0.0';

/** Parameters that do not tell our formats apart, such as `charset` and the `escaping` of Prometheus 3. */
const OTHER_PARAMETERS = /;(?!\s*(?:q|version)\s*=)[^;,]*/gi;

/**
 * Which format a client prefers, by its `Accept` header. OpenMetrics is for clients that name it. All others get text, also those
 * that accept neither, as Prometheus's own libraries do.
 */
export function metricsFormat(accept = ''): MetricsFormat {
  const plain = accept
    .replace(OTHER_PARAMETERS, '')
    .split('=')
    .map((part) => part.trim())
    .join('=');
  const [preferred] = new Negotiator({ headers: { accept: plain } }).mediaTypes([TEXT, OPENMETRICS]);
  return preferred === OPENMETRICS && /openmetrics-text/i.test(accept) ? 'openmetrics' : 'text';
}
