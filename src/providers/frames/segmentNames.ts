/** What the name of a segment ends with once it is closed, and until then. */
export const CLOSED = '.ndjson.gz';
export const OPEN = '.ndjson.gz.open';

const NAME = /^(.+)\.(\d{6,})\.ndjson\.gz(\.open)?$/;

/** The name of a capture: `massive-20260105T143000000Z`. `again` tells apart those that began in one millisecond. */
export function captureName(provider: string, startedAt: number, again: number): string {
  const time = new Date(startedAt).toISOString().replaceAll(/[-:.]/g, '');
  const name = provider.replaceAll(/[^\w-]/g, '_').slice(0, 64);
  return `${name}-${time}${again === 0 ? '' : `-${again}`}`;
}

/** `massive-20260105T143000000Z.000001.ndjson.gz`. */
export function segmentName(capture: string, segment: number, ending: typeof CLOSED | typeof OPEN): string {
  return `${capture}.${String(segment).padStart(6, '0')}${ending}`;
}

/** What the name of a file says; `undefined` if it is no segment. */
export function parseSegmentName(name: string) {
  const [, capture, segment, open] = NAME.exec(name) ?? [];
  return capture === undefined ? undefined : { capture, segment: Number(segment), isOpen: open !== undefined };
}
