export { foldBars, foldByKey } from '../market/foldByKey.js';
export {
  type ConformanceTest,
  OPERATOR_RULES,
  type OperatorRuleId,
  operatorConformance,
} from './conformance/operatorConformance.js';
export type { OperatorSubject, ThrowingCallback } from './conformance/operatorSubject.js';
export {
  PROVIDER_RULES,
  type ProviderConformanceTest,
  type ProviderRuleId,
  providerConformance,
} from './conformance/providerConformance.js';
export type { ProviderSubject, ProviderTrialSettings } from './conformance/providerSubject.js';
export {
  SINK_RULES,
  type SinkConformanceTest,
  type SinkRuleId,
  sinkConformance,
} from './conformance/sinkConformance.js';
export type { SinkStore, SinkSubject } from './conformance/sinkSubject.js';
export type { Direction, Fault, FaultKind } from './faults/fault.js';
export type {
  CommitReplyFault,
  ConnectionInfo,
  DripFault,
  FaultCounts,
  FaultProxy,
  FaultProxyConfig,
  FaultScope,
  RefuseFault,
  StallFault,
  TrafficFault,
} from './faults/faultProxy.js';
export { FaultProxyError, isFaultProxyError } from './faults/faultProxyError.js';
export { startFaultProxy } from './faults/startFaultProxy.js';
export { type FuzzFramesConfig, type FuzzReport, fuzzFrames } from './fuzz/fuzzFrames.js';
export type { GatedMarbles, SubscriptionLogs } from './gatedMarbles.js';
export { type MarbleHelpers, marbles } from './marbles.js';
export type {
  SessionSpan,
  SimulatedBurst,
  SimulatedDayConfig,
  SimulatedHalt,
  Span,
  TimeOfDay,
} from './market/dayConfig.js';
export { DayPlayer, type DayPlayerConfig } from './market/dayPlayer.js';
export { type DayListener, type DayPlay, type PlayDayConfig, playDay } from './market/playDay.js';
export { type SimulatedDay, simulatedDay } from './market/simulatedDay.js';
export type {
  SimulatedBar,
  SimulatedEvent,
  SimulatedQuote,
  SimulatedSession,
  SimulatedStatus,
  SimulatedTrade,
} from './market/simulatedEvent.js';
export { type VenueFault, VenueFaults, type VenueFaultsConfig } from './market/venueFaults.js';
export {
  type MemoryDeadLetters,
  type MemoryDeadLettersConfig,
  type MemoryLease,
  memoryDeadLetters,
} from './memoryDeadLetters.js';
export { type GateLogged, type GateMarble, type GateProbe, probeGate } from './probeGate.js';
export { type ScriptedConnect, type ScriptedConnection, scriptedConnect } from './scriptedConnect.js';
export {
  type ScriptedSink,
  type ScriptedSinkConfig,
  type SinkAct,
  type SinkCall,
  type SinkScript,
  type SinkStep,
  scriptedSink,
} from './scriptedSink.js';
export { type SlowSink, type SlowSinkConfig, slowSink } from './slowSink.js';
export type { AlpacaErrorCode, FakeAlpaca, FakeAlpacaConfig } from './venues/alpaca/fakeAlpaca.js';
export { startFakeAlpaca } from './venues/alpaca/startFakeAlpaca.js';
export { FakeBinance, type FakeBinanceConfig } from './venues/binance/fakeBinance.js';
export { startFakeBinance } from './venues/binance/startFakeBinance.js';
export { FakeCoinbase, type FakeCoinbaseConfig } from './venues/coinbase/fakeCoinbase.js';
export { startFakeCoinbase } from './venues/coinbase/startFakeCoinbase.js';
export type { FakeVenue } from './venues/fakeVenue.js';
export type { FakeGateway, FakeGatewayOptions } from './venues/ibkr/fakeGateway.js';
export { startFakeGateway } from './venues/ibkr/startFakeGateway.js';
export type { WireField } from './venues/ibkr/wire.js';
export { FakeMassive, type FakeMassiveConfig } from './venues/massive/fakeMassive.js';
export { startFakeMassive } from './venues/massive/startFakeMassive.js';
export { VenueSocket } from './venues/venueSocket.js';
export { WebSocketVenue } from './venues/webSocketVenue.js';
export { withGate } from './withGate.js';
