import type { MetricsFormat } from './metrics.js';

/** What an `Accept` header says of one kind of content, or of several. */
interface Range {
  readonly type: string;
  readonly version: string | undefined;
  readonly quality: number;
}

/** The kinds of content there are, and which of their versions. */
const OFFERS: Readonly<Record<MetricsFormat, { readonly type: string; readonly version: string }>> = {
  openmetrics: { type: 'application/openmetrics-text', version: '1.0.0' },
  text: { type: 'text/plain', version: '0.0.4' },
};

/**
 * Which format a client prefers, by the header `Accept`. OpenMetrics is for those who name it; for everybody else, and for
 * those who take neither, it is text, as with Prometheus' own libraries.
 */
export function negotiate(accept: string | undefined): MetricsFormat {
  const ranges = (accept ?? '').split(',').flatMap(rangeOf);
  const openMetrics = qualityOf('openmetrics', ranges);
  return openMetrics.isNamed && openMetrics.quality > 0 && openMetrics.quality >= qualityOf('text', ranges).quality
    ? 'openmetrics'
    : 'text';
}

function rangeOf(text: string): Range[] {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  if (type === '') return [];
  const given = new Map(parameters.map((parameter) => [nameOf(parameter), givenBy(parameter)]));
  const q = given.get('q');
  const quality = q === undefined ? 1 : Number(q);
  // A quality that says nothing is none.
  return [{ type, version: given.get('version'), quality: quality >= 0 && quality <= 1 ? quality : 0 }];
}

function nameOf(parameter: string): string {
  return parameter.split('=', 1)[0]?.trim() ?? '';
}

function givenBy(parameter: string): string {
  return parameter
    .slice(parameter.indexOf('=') + 1)
    .trim()
    .replace(/^"(.*)"$/, '$1');
}

/** The most specific range decides, whatever the others say. */
function qualityOf(format: MetricsFormat, ranges: readonly Range[]): { quality: number; isNamed: boolean } {
  const { type, version } = OFFERS[format];
  const family = `${type.split('/')[0]}/*`;
  let best = -1;
  let quality = 0;
  for (const range of ranges) {
    const isOurs = range.type === type && (range.version === undefined || range.version === version);
    const rank = isOurs
      ? range.version === undefined
        ? 2
        : 3
      : range.type === family
        ? 1
        : range.type === '*/*'
          ? 0
          : -1;
    if (rank < 0 || rank < best) continue;
    quality = rank === best ? Math.max(quality, range.quality) : range.quality;
    best = rank;
  }
  return { quality, isNamed: best >= 2 };
}
