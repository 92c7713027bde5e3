export { FileNotFoundError, isFileNotFoundError } from '../files/read/fileNotFoundError.js';
export { isMissingColumnError, MissingColumnError } from '../files/read/missingColumnError.js';
export { isNoGoodRowError, NoGoodRowError } from '../files/read/noGoodRowError.js';
export { isUnreadableFileError, UnreadableFileError } from '../files/read/unreadableFileError.js';
export {
  type BadRow,
  type BarDefaults,
  type BarField,
  type BarFieldColumns,
  type FileRecord,
  type RecordField,
  type RecordPlace,
  type ReplayBarsConfig,
  type ReplayDecodedConfig,
  type ReplayItemsConfig,
  type ReplayRecordsConfig,
  replayFile,
} from '../files/replayFile.js';
export { type BarsConfig, bars } from '../postgres/read/bars.js';
export { type GapsConfig, gaps } from '../postgres/read/gaps.js';
export { type LatestConfig, latest } from '../postgres/read/latest.js';
export { type QuotesConfig, quotes } from '../postgres/read/quotes.js';
export { isStoreReadError, StoreReadError } from '../postgres/read/storeReadError.js';
export { type TradesConfig, trades } from '../postgres/read/trades.js';
export { eventLoopScheduler } from '../primitives/eventLoopScheduler.js';
export { type FromAsyncIterableConfig, fromAsyncIterable } from './fromAsyncIterable.js';
export { type FromIterableConfig, fromIterable } from './fromIterable.js';
export { type FromReadableConfig, fromReadable } from './fromReadable.js';
export { type SyntheticConfig, synthetic } from './synthetic.js';
export { type SyntheticBarsConfig, syntheticBars } from './syntheticBars.js';
export { type SyntheticEventsConfig, syntheticEvents } from './syntheticEvents.js';
