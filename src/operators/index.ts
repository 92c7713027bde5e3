export { type BatchConfig, batch } from './batch.js';
export {
  type BoundedBuffer,
  type BoundedBufferConfig,
  boundedBuffer,
  type DropReason,
  type Overflow,
} from './boundedBuffer.js';
export { type BoundedMergeMapConfig, boundedMergeMap } from './boundedMergeMap.js';
export { type BroadcastConfig, broadcast } from './broadcast.js';
export { type ConflateConfig, conflate } from './conflate.js';
export { type Codec, type DecodeConfig, decode, type Rejected } from './decode.js';
export { type DedupeConfig, dedupe } from './dedupe.js';
export { type DivertConfig, type DivertVerdict, divert } from './divert.js';
export { type LanesConfig, lanes } from './lanes.js';
export { type PaceConfig, pace } from './pace.js';
export { type RouteBranches, route } from './route.js';
export { type UntilStoppedConfig, untilStopped } from './untilStopped.js';
export { type WriteCoordinatorConfig, writeCoordinator } from './writeCoordinator.js';
export { type WritePolicies, writeTo } from './writeTo.js';
