/** The records of a market, with their keys, and codecs that check them. */
export { type Bar, barKey } from './bar.js';
export { barCodec } from './barCodec.js';
export { type Fundamentals, fundamentalsKey } from './fundamentals.js';
export { fundamentalsCodec } from './fundamentalsCodec.js';
export { marketEventCodec } from './marketEventCodec.js';
export { mergeBars } from './mergeBars.js';
export { newsCodec } from './newsCodec.js';
export { type NewsItem, newsKey } from './newsItem.js';
export { optionCodec } from './optionCodec.js';
export { type OptionSnapshot, optionKey } from './optionSnapshot.js';
export type { MarketEvent, RecordKind, RecordOf } from './recordKinds.js';
