/** The records of a market, with their keys, and codecs that check them. */
export { type Bar, barKey } from './bar.js';
export {
  barCodec,
  fundamentalsCodec,
  gapCodec,
  marketEventCodec,
  newsCodec,
  optionCodec,
  quoteCodec,
  tradeCodec,
} from './codecs.js';
export { type Fundamentals, fundamentalsKey } from './fundamentals.js';
export { type Gap, type GapCause, type GapState, gapKey } from './gap.js';
export { mergeBars } from './mergeBars.js';
export { type NewsItem, newsKey } from './newsItem.js';
export { type OptionSnapshot, optionKey } from './optionSnapshot.js';
export { type Quote, quoteKey } from './quote.js';
export type { MarketEvent, RecordKind, RecordOf } from './recordKinds.js';
export { type Trade, tradeKey } from './trade.js';
