/** Vendors of market data: the contract of a provider, and what every one of them is built with. */
export type { GapLedger, GapSpan } from '../contracts/gapLedger.js';
export { backfill } from './backfill/backfill.js';
export type { BackfillConfig, LeftOpen } from './backfill/backfillConfig.js';
export type { OpenReason, RepairOutcome } from './backfill/outcome.js';
export type { RepairConfig } from './backfill/repairConfig.js';
export type { RepairedChunk } from './backfill/repairSettings.js';
export { type RepairSpanConfig, repairSpan } from './backfill/repairSpan.js';
export { defineProvider } from './defineProvider.js';
export {
  type CaptureCounts,
  type CaptureFramesConfig,
  type CaptureHole,
  captureFrames,
  type FrameCapture,
} from './frames/captureFrames.js';
export { FrameCaptureError, isFrameCaptureError } from './frames/frameCaptureError.js';
export { type FrameReplay, type ReplayCounts, type ReplayFramesConfig, replayFrames } from './frames/replayFrames.js';
export { isUnreachable } from './isUnreachable.js';
export type {
  Connect,
  Connection,
  ConnectionEvents,
  HistoryRange,
  Provider,
  ProviderPacing,
  ProviderParts,
  SubscriptionRequest,
} from './provider.js';
export {
  BadCredentials,
  ConnectionLost,
  isProviderError,
  NotEntitled,
  PacingViolation,
  ProviderError,
  type ProviderErrorOptions,
  ProviderSilent,
  QuotaExceeded,
  UnknownInstrument,
} from './providerErrors.js';
export {
  findProvider,
  isProviderChoiceError,
  PROVIDERS,
  type ProviderChoice,
  ProviderChoiceError,
  type ProviderEntry,
  type ProviderVariable,
} from './registry.js';
export { type PagesConfig, pages } from './rest/pages.js';
export {
  type Query,
  type RefusedAnswer,
  RestClient,
  type RestClientConfig,
  type RestRequest,
} from './rest/restClient.js';
export { providerRouter } from './router/providerRouter.js';
export type { RoutedProvider } from './router/routedProvider.js';
export type { ProviderRouterConfig, RouterBreakerConfig, RouterStrategy, RouterSwitch } from './router/routerConfig.js';
export { isRouterFailed, type ProviderEnd, RouterFailed } from './router/routerFailed.js';
export {
  type Frame,
  type Hole,
  type Normalise,
  type ProviderSession,
  type Refusal,
  type Series,
  type SessionStep,
  Unreadable,
} from './session.js';
export {
  type ConnectOwner,
  PROVIDER_STREAM,
  type ProviderRetry,
  type ProviderStreamConfig,
  type RejectedElement,
  streamOptionsOf,
} from './streamConfig.js';
export type { UsualSilence } from './usualSilence.js';
export { type WebSocketConnectConfig, webSocketConnect } from './webSocketConnect.js';
