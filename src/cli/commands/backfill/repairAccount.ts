import type { Gap } from '../../../market/gap.js';
import { count } from '../../../primitives/count.js';
import type { RepairOutcome } from '../../../providers/backfill/outcome.js';
import { gapJson, seriesKind, timeOf } from '../gaps/gapText.js';

/** A span that is still open, and why. */
export interface LeftOpen {
  readonly gap: Gap;
  /** A label, such as `refused`. */
  readonly why: string;
  /** One sentence. */
  readonly reason: string;
}

/** So many of those that are left are told one by one; all are counted. */
const MAX_LISTED = 1_000;
const MAX_PRINTED = 20;

/** What became of every span of a job. */
export class RepairAccount {
  /** How many spans the job has. */
  total = 0;
  filled = 0;
  empty = 0;
  /** Closed by somebody else meanwhile. */
  closedElsewhere = 0;
  /** Closed before the job began. */
  skipped = 0;
  open = 0;
  /** Records of the spans that are filled. */
  rows = 0;
  /** Records that the store refused. */
  refused = 0;
  readonly left: LeftOpen[] = [];
  readonly #byWhy = new Map<string, number>();

  /** Spans whose fate is known. */
  get done(): number {
    return this.filled + this.empty + this.closedElsewhere + this.skipped + this.open;
  }

  /** Spans that the job has not come to. */
  get notAsked(): number {
    return Math.max(0, this.total - this.done);
  }

  get isComplete(): boolean {
    return this.open === 0 && this.notAsked === 0;
  }

  settle(outcome: RepairOutcome): void {
    if (outcome.state === 'open') {
      this.leave(outcome.gap, outcome.why, outcome.reason);
    } else if (outcome.state === 'closedElsewhere') {
      this.closedElsewhere += 1;
    } else {
      this[outcome.state] += 1;
      this.rows += outcome.rows;
    }
  }

  leave(gap: Gap, why: string, reason: string): void {
    this.open += 1;
    this.#byWhy.set(why, (this.#byWhy.get(why) ?? 0) + 1);
    if (this.left.length < MAX_LISTED) this.left.push({ gap, why, reason });
  }

  json(): Record<string, unknown> {
    const { total, filled, empty, closedElsewhere, skipped, open, notAsked, rows, refused } = this;
    const left = this.left.map(({ gap, why, reason }) => {
      const { state: _, rows: __, ...known } = gapJson(gap);
      return { ...known, why, reason };
    });
    return { spans: { total, filled, empty, closedElsewhere, skipped, open, notAsked }, rows, refused, left };
  }

  /** One line for each fate that a span has had, and those that are left. */
  text(): string {
    const spans = (n: number) => `${count(n)} ${n === 1 ? 'span' : 'spans'}`;
    const lines = [
      `${spans(this.total)}:`,
      ...line(this.filled, `filled with ${count(this.rows)} ${this.rows === 1 ? 'record' : 'records'}`),
      ...line(this.empty, 'empty: the vendor has nothing there'),
      ...line(this.closedElsewhere, 'closed by another process meanwhile'),
      ...line(this.skipped, 'skipped: closed before'),
      ...line(this.open, `left open (${[...this.#byWhy].map(([why, n]) => `${why} ${count(n)}`).join(', ')})`),
      ...line(this.notAsked, 'not asked'),
    ];
    for (const { gap, reason } of this.left.slice(0, MAX_PRINTED)) {
      lines.push(
        `open: ${gap.vendor} ${gap.symbol} ${seriesKind(gap)} from ${timeOf(gap.from)} to ${timeOf(gap.to)}: ${reason}`,
      );
    }
    if (this.open > MAX_PRINTED) lines.push(`… and ${count(this.open - MAX_PRINTED)} more: see \`sluice gaps ls\``);
    if (this.refused > 0) lines.push(`the store refused ${count(this.refused)} records`);
    return lines.join('\n');
  }
}

function line(n: number, what: string): readonly string[] {
  return n === 0 ? [] : [`  ${count(n).padStart(9)}  ${what}`];
}
