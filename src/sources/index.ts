export { eventLoopScheduler } from './eventLoopScheduler.js';
export { FileNotFoundError, isFileNotFoundError } from './files/fileNotFoundError.js';
export { isMissingColumnError, MissingColumnError } from './files/missingColumnError.js';
export { isUnreadableFileError, UnreadableFileError } from './files/unreadableFileError.js';
export { type FromAsyncIterableConfig, fromAsyncIterable } from './fromAsyncIterable.js';
export { type FromIterableConfig, fromIterable } from './fromIterable.js';
export { type FromReadableConfig, fromReadable } from './fromReadable.js';
export {
  type BadRow,
  type BarDefaults,
  type BarField,
  type FileRecord,
  type RecordPlace,
  type ReplayBarsConfig,
  type ReplayDecodedConfig,
  type ReplayItemsConfig,
  replayFile,
} from './replayFile.js';
export { type BarsConfig, bars } from './store/bars.js';
export { type LatestConfig, latest } from './store/latest.js';
export { isStoreReadError, StoreReadError } from './store/storeReadError.js';
export { type SyntheticConfig, synthetic } from './synthetic.js';
export { type SyntheticBarsConfig, syntheticBars } from './syntheticBars.js';
export { type SyntheticEventsConfig, syntheticEvents } from './syntheticEvents.js';
