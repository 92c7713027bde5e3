/** The farms of servers that TWS is connected to: of market data, of history, of definitions of securities. */
export type Farm = 'market' | 'history' | 'definitions';

/**
 * What a code of TWS means for us.
 *
 * Of a request: `throttle` asks again after a cooldown; `quota` is refused until the next connection; `rejected`, `unknown` and
 * `entitlement` are refused for good; `history` depends on the text; `resubscribe` asks again at once.
 *
 * Of the connection: `lost` ends it; `clientId` and `competing` end it with a cooldown; `version` ends the stream; `portReset` ends it
 * for a new port; `serversLost`, `dataLost` and `dataKept` are the nightly reset; `farmBroken`, `farmOk` and `farmIdle` are of one farm.
 *
 * `unreadable` is a message that the client could not decode: counted, and its neighbours pass. `warn` is read by an operator,
 * `ignore` by nobody.
 */
export type Fate =
  | 'throttle'
  | 'quota'
  | 'rejected'
  | 'unknown'
  | 'entitlement'
  | 'history'
  | 'resubscribe'
  | 'lost'
  | 'clientId'
  | 'competing'
  | 'version'
  | 'portReset'
  | 'serversLost'
  | 'dataLost'
  | 'dataKept'
  | 'farmBroken'
  | 'farmOk'
  | 'farmIdle'
  | 'unreadable'
  | 'warn'
  | 'ignore';

export interface CodeRow {
  readonly code: number;
  readonly fate: Fate;
  readonly meaning: string;
  readonly farm?: Farm;
}

const row = (code: number, fate: Fate, meaning: string, farm?: Farm): CodeRow => ({
  code,
  fate,
  meaning,
  ...(farm && { farm }),
});

/**
 * The codes of errors and notices, a row each, from IBKR's list of message codes (https://interactivebrokers.github.io/tws-api/message_codes.html)
 * and what users of clients report.
 */
export const GATEWAY_CODES: readonly CodeRow[] = [
  row(100, 'throttle', 'more than 50 messages a second'),
  row(101, 'quota', 'all market data lines are in use'),
  row(102, 'rejected', 'the request id is in use'),
  row(162, 'history', 'the history service says something: its text decides'),
  row(165, 'unknown', 'the history service cannot answer the query'),
  row(166, 'unknown', 'the contract has expired'),
  row(200, 'unknown', 'no such contract, or several'),
  row(300, 'ignore', 'no request of that id is to be cancelled'),
  row(309, 'quota', 'more than three requests of market depth'),
  row(310, 'ignore', 'no market depth of that id is to be cancelled'),
  row(317, 'ignore', 'market depth was reset; we ask for none'),
  row(320, 'rejected', 'the request cannot be read'),
  row(321, 'rejected', 'the request is not valid'),
  row(322, 'rejected', 'the request id is in use'),
  row(326, 'clientId', 'the client id is in use'),
  row(354, 'entitlement', 'no subscription to these market data'),
  row(366, 'ignore', 'no history query of that id'),
  row(386, 'rejected', 'the request id is in use'),
  row(420, 'throttle', 'real-time bars: too many requests, or no permission'),
  row(430, 'entitlement', 'fundamentals are not available'),
  row(460, 'entitlement', 'no permission to trade this contract'),
  row(501, 'ignore', 'already connected'),
  row(502, 'lost', 'no connection to TWS'),
  row(503, 'version', 'TWS is out of date'),
  row(504, 'lost', 'not connected'),
  row(505, 'unreadable', 'a message that the client cannot decode'),
  row(506, 'version', 'the client does not speak the version of TWS'),
  row(507, 'lost', 'a message of a length that cannot be'),
  row(508, 'unreadable', 'a message that makes no sense'),
  row(509, 'lost', 'a message could not be sent'),
  row(1100, 'serversLost', 'TWS has lost the servers of IBKR'),
  row(1101, 'dataLost', 'TWS has the servers back, and all subscriptions are lost'),
  row(1102, 'dataKept', 'TWS has the servers back, and subscriptions go on'),
  row(1300, 'portReset', 'TWS listens on another port now'),
  row(2103, 'farmBroken', 'a market data farm is not connected', 'market'),
  row(2104, 'farmOk', 'a market data farm is connected', 'market'),
  row(2105, 'farmBroken', 'a farm of history is not connected', 'history'),
  row(2106, 'farmOk', 'a farm of history is connected', 'history'),
  row(2107, 'farmIdle', 'a farm of history is connected on demand', 'history'),
  row(2108, 'farmIdle', 'a market data farm is connected on demand', 'market'),
  row(2110, 'serversLost', 'TWS has lost its server, and restores the connection by itself'),
  row(2119, 'ignore', 'a market data farm is connecting'),
  row(2157, 'farmBroken', 'the farm of definitions is not connected', 'definitions'),
  row(2158, 'farmOk', 'the farm of definitions is connected', 'definitions'),
  row(10089, 'entitlement', 'these market data need another subscription'),
  row(10090, 'warn', 'a part of these market data is not subscribed'),
  row(10091, 'entitlement', 'a part of these market data needs another subscription'),
  row(10167, 'warn', 'delayed data instead of live data'),
  row(10168, 'entitlement', 'no subscription to these market data, and delayed data are not enabled'),
  row(10186, 'entitlement', 'no subscription to these market data, and no delayed data'),
  row(10187, 'quota', 'history of ticks is refused'),
  row(10189, 'quota', 'tick-by-tick data are refused'),
  row(10190, 'quota', 'the most tick-by-tick requests are in use'),
  row(10197, 'competing', 'another session of this user takes the market data'),
  row(10225, 'resubscribe', 'a bust: real-time bars have stopped'),
  row(10276, 'entitlement', 'no subscription to this news'),
];

const BY_CODE: ReadonlyMap<number, CodeRow> = new Map(GATEWAY_CODES.map((one) => [one.code, one]));

/** The row of a code. Codes from 2100 to 2999 and texts that begin with "Warning:" only inform; others that are not listed have none. */
export function codeRow(code: number, text: string): CodeRow | undefined {
  const listed = BY_CODE.get(code);
  if (listed) return listed;
  const isWarning = (code >= 2100 && code <= 2999) || /\bwarning:/i.test(text);
  return isWarning ? row(code, 'warn', 'a warning') : undefined;
}

/** What 162 says: all that the service has for the caller is text. */
export type HistoryVerdict = 'empty' | 'pacing' | 'cancelled' | 'entitlement' | 'failed';

const HISTORY_TEXTS: readonly (readonly [RegExp, HistoryVerdict])[] = [
  [/pacing violation/i, 'pacing'],
  [/returned no data|no data of type|\bno data\b/i, 'empty'],
  [/query cancelled/i, 'cancelled'],
  [/permission|not subscribed|subscription/i, 'entitlement'],
];

export function historyVerdict(text: string): HistoryVerdict {
  return HISTORY_TEXTS.find(([words]) => words.test(text))?.[1] ?? 'failed';
}

/** The port in the text of 1300; `undefined` if it has none. */
export function portOf(text: string): number | undefined {
  const port = Number(/\bport\b\D{0,12}(\d{1,5})\b/i.exec(text)?.[1]);
  return port > 0 && port < 65_536 ? port : undefined;
}
