export { type BarsSinkConfig, barsSink } from './barsSink.js';
export { type MemorySink, type MemorySinkConfig, memorySink } from './memorySink.js';
export { isNdjsonError, NdjsonError } from './ndjsonError.js';
export { type NdjsonSinkConfig, ndjsonSink } from './ndjsonSink.js';
export { type OpenStoreConfig, openStore, type Store } from './openStore.js';
export type { Strategy } from './postgres/planner.js';
export { isStoreError, StoreError, type StoreErrorCode } from './postgres/storeError.js';
export { SinkSubscriber, type SinkSubscriberConfig, sinkSubscriber } from './sinkSubscriber.js';
