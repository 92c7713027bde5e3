import type { Gap } from '../../../market/gap.js';
import { count } from '../../../primitives/count.js';

/** In UTC, with as many digits of the second as it has. */
export function timeOf(ms: number): string {
  const whole = Math.floor(ms);
  const micros = Math.round((ms - whole) * 1_000);
  const text = new Date(whole).toISOString();
  return micros === 0 ? text : `${text.slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
}

/** A gap as JSON. Every gap has every key. */
export function gapJson(gap: Gap): Record<string, unknown> {
  const { vendor, symbol, of, timeframe = null, from, to, cause, state, rows = null, reason = null } = gap;
  return { vendor, symbol, of, timeframe, from: timeOf(from), to: timeOf(to), cause, state, rows, reason };
}

/** How long a span is, in its two largest units. */
export function lengthText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1_000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([number]) => number > 0);
  const shown = parts.slice(first, first + 2).filter(([number]) => number > 0);
  return shown.map(([number, unit]) => `${number}${unit}`).join(' ');
}

/** What is missing, such as `trade` or `bar 1m`. */
export function seriesKind({ of, timeframe }: Pick<Gap, 'of' | 'timeframe'>): string {
  return timeframe === undefined ? of : `${of} ${timeframe}`;
}

/** How many gaps of what, counted one by one. */
export class GapTally {
  gaps = 0;
  #from = Number.POSITIVE_INFINITY;
  #to = Number.NEGATIVE_INFINITY;
  readonly #byCause = new Map<string, number>();
  readonly #byVendor = new Map<string, number>();

  add({ from, to, cause, vendor }: Gap): void {
    this.gaps += 1;
    this.#from = Math.min(this.#from, from);
    this.#to = Math.max(this.#to, to);
    this.#byCause.set(cause, (this.#byCause.get(cause) ?? 0) + 1);
    this.#byVendor.set(vendor, (this.#byVendor.get(vendor) ?? 0) + 1);
  }

  /** `3 open gaps of coinbase (reconnect 2, stale 1), from … to …`. */
  text(state: string): string {
    const gaps = `${count(this.gaps)} ${state === '' ? '' : `${state} `}${this.gaps === 1 ? 'gap' : 'gaps'}`;
    if (this.gaps === 0) return gaps;
    const causes = [...this.#byCause].map(([cause, number]) => `${cause} ${count(number)}`).join(', ');
    const vendors = [...this.#byVendor.keys()].join(', ');
    return `${gaps} of ${vendors} (${causes}), from ${timeOf(this.#from)} to ${timeOf(this.#to)}`;
  }
}
