import { BAR, type Bar } from './bar.js';
import { FUNDAMENTALS, type Fundamentals } from './fundamentals.js';
import { GAP, type Gap } from './gap.js';
import { NEWS, type NewsItem } from './newsItem.js';
import { OPTION, type OptionSnapshot } from './optionSnapshot.js';
import { QUOTE, type Quote } from './quote.js';
import type { RecordDescription } from './recordShape.js';
import { barMaker } from './synthetic/barMaker.js';
import { fundamentalsMaker } from './synthetic/fundamentalsMaker.js';
import { gapMaker } from './synthetic/gapMaker.js';
import { newsMaker } from './synthetic/newsMaker.js';
import { optionMaker } from './synthetic/optionMaker.js';
import { quoteMaker } from './synthetic/quoteMaker.js';
import { tradeMaker } from './synthetic/tradeMaker.js';
import type { MakerOf } from './synthetic/walk.js';
import { TRADE, type Trade } from './trade.js';

/** Whatever a provider sends; `kind` says which. */
export type MarketEvent = Bar | OptionSnapshot | NewsItem | Fundamentals | Trade | Quote | Gap;

/** The `kind` of a record: `bar`, `trade`, `quote` and so on. */
export type RecordKind = MarketEvent['kind'];

/** The record of a kind. */
export type RecordOf<K extends RecordKind> = Extract<MarketEvent, { readonly kind: K }>;

type Registry = {
  readonly [K in RecordKind]: RecordDescription<RecordOf<K>> & {
    /** Makes synthetic records. */
    readonly maker: MakerOf<RecordOf<K>>;
  };
};

/**
 * The registry of kinds: all other code goes by it. A new kind is a line here and a member of {@link MarketEvent}, with the
 * type, codec and maker that it names; its table in `postgres/recordTables.ts`, where the compiler asks for it; and its migration. A
 * kind is added at the end: each draws its chances from the seed in this order.
 */
export const RECORD_KINDS: Registry = {
  bar: { ...BAR, maker: barMaker },
  option: { ...OPTION, maker: optionMaker },
  news: { ...NEWS, maker: newsMaker },
  fundamental: { ...FUNDAMENTALS, maker: fundamentalsMaker },
  trade: { ...TRADE, maker: tradeMaker },
  quote: { ...QUOTE, maker: quoteMaker },
  gap: { ...GAP, maker: gapMaker('bar', 'trade', 'quote') },
};

export const KINDS = Object.keys(RECORD_KINDS) as readonly RecordKind[];

/** The kinds that a vendor can be asked for: a gap says what is missing of them. */
export const VENDOR_KINDS: readonly RecordKind[] = KINDS.filter((kind) => kind !== 'gap');

export function isRecordKind(value: unknown): value is RecordKind {
  return typeof value === 'string' && Object.hasOwn(RECORD_KINDS, value);
}
