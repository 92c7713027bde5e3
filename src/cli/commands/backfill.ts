import { Command, InvalidArgumentError } from 'commander';
import { from, lastValueFrom, type Observable, toArray } from 'rxjs';
import { type Gap, gapSeq } from '../../market/gap.js';
import { type RecordKind, VENDOR_KINDS } from '../../market/recordKinds.js';
import type { Store } from '../../postgres/openStore.js';
import { gaps } from '../../postgres/read/gaps.js';
import { storeLedger } from '../../postgres/read/storeLedger.js';
import { count } from '../../primitives/count.js';
import { messageOf } from '../../primitives/messageOf.js';
import { timeframeMs } from '../../primitives/timeframe.js';
import { chunkMsOf } from '../../providers/backfill/spans.js';
import type { Provider } from '../../providers/provider.js';
import { type CommandContext, EXIT, UsageError } from '../commandContext.js';
import { type Moment, moment, period } from '../parseMoment.js';
import { integer, names } from '../parsers.js';
import { PROVIDER_HELP, providerOf } from '../providerOf.js';
import { type SymbolChoice, symbolList, symbolsOf } from '../symbolList.js';
import { type StoreOptions, storeFolderOption, withStore } from '../withStore.js';
import { planSeries, type Series, type SeriesPlan, type Span } from './backfill/planSeries.js';
import { RepairAccount } from './backfill/repairAccount.js';
import { repairGaps } from './backfill/repairGaps.js';
import { timeOf } from './gaps/gapText.js';
import { hasGapsTable } from './gaps/readGaps.js';

interface BackfillOptions extends StoreOptions {
  readonly provider: string;
  readonly symbols: SymbolChoice;
  readonly kinds: readonly RecordKind[];
  readonly timeframe?: string;
  readonly from: Moment;
  readonly to: Moment;
  readonly chunk?: number;
  readonly concurrency: number;
  readonly url?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

/** `sluice backfill`: fetches a span of the past into the store. */
export function backfillCommand(context: CommandContext): Command {
  return new Command('backfill')
    .summary('fetch a span of the past of a provider into the store')
    .description(
      'Asks a provider for the past of each symbol and kind, span by span, and closes each span as a requested gap once the store has what ' +
        'was answered. Run it again after an interruption, or from cron: spans that are closed are not asked again.',
    )
    .requiredOption('--provider <name>', PROVIDER_HELP)
    .requiredOption(
      '--symbols <list>',
      'as the vendor spells them, with commas between them, or @file to read them',
      symbolList,
    )
    .requiredOption(
      '--from <time>',
      'the first instant, such as now-30d, 2026-11-01 or 2026-11-01T09:30:00-05:00',
      moment,
    )
    .option('--to <time>', 'the end, itself not included', moment, moment('now'))
    .option('--kinds <list>', 'which records, such as bar,trade', kindList, ['bar' as const])
    .option('--timeframe <name>', 'of bars (default: 1m)')
    .option(
      '--chunk <period>',
      'how long a span is at most, such as 7d (default: 1d of bars, 30d of news, 1h of others)',
      period,
    )
    .option('--concurrency <n>', 'how many spans are asked at a time', concurrency, 4)
    .option('--url <address>', "another address than the vendor's own, such as that of a fake")
    .addOption(storeFolderOption())
    .option('--dry-run', 'count the spans and requests, and ask nothing')
    .option('--json', 'print one JSON document, as described in docs/cli.md')
    .action((options: BackfillOptions) => backfill(context, options));
}

const MAX_CONCURRENCY = 64;

function concurrency(text: string): number {
  const n = integer(1)(text);
  if (n > MAX_CONCURRENCY) throw new InvalidArgumentError(`It must be at most ${MAX_CONCURRENCY}.`);
  return n;
}

function kindList(text: string): readonly RecordKind[] {
  return [...new Set(names(text))].map((kind) => {
    const known = VENDOR_KINDS.find((one) => one === kind);
    if (known !== undefined) return known;
    const others = VENDOR_KINDS.join(', ');
    throw new InvalidArgumentError(`There is no kind ${JSON.stringify(kind.slice(0, 40))}, only ${others}.`);
  });
}

/** What is asked for, once every option is read. */
interface Request {
  readonly provider: Provider;
  readonly symbols: readonly string[];
  readonly kinds: readonly RecordKind[];
  readonly timeframe: string;
  readonly span: Span;
  readonly chunk: number | undefined;
  readonly now: number;
}

async function backfill(context: CommandContext, options: BackfillOptions): Promise<void> {
  const request = await requestOf(context, options);
  await withStore(context, options, async (store) => {
    const account = new RepairAccount();
    const hasGaps = await hasGapsTable(store);
    const plans = () => plansOf(store, request, hasGaps);
    let asked = 0;
    let series = 0;
    let known = 0;
    const total = request.symbols.length * request.kinds.length;
    await context.telling(
      () => `${count(series)} of ${count(total)} series planned`,
      async () => {
        for await (const plan of plans()) {
          series += 1;
          asked += plan.asked.length;
          known += plan.skipped;
        }
      },
    );
    account.total = asked + known;
    if (options.dryRun) return showPlan(context, request, asked, known, options);
    if (!options.json) await context.report(planText(request, asked, known));
    if (asked === 0) account.skipped = known;
    else {
      await repairGaps(context, store, {
        next: nextOf(plans(), account),
        providerOf: async () => request.provider,
        isNew: true,
        // Of anything but bars, a long span is too much to hold until it is proven.
        chunkMsOf: ({ of }) => (of === 'bar' ? request.chunk : undefined),
        concurrency: options.concurrency,
        account,
      });
    }
    await summarise(context, request, account, options);
  });
}

/** Reads the options, and finds what is wrong with them before the store is opened and anything is asked. */
async function requestOf(context: CommandContext, options: BackfillOptions): Promise<Request> {
  const { kinds, chunk } = options;
  const now = Date.now();
  const begin = Math.floor(options.from(now));
  // What is to come is not history.
  const end = Math.min(Math.ceil(options.to(now)), now);
  if (begin >= now) throw new UsageError(`--from must be in the past, got ${timeOf(begin)}`);
  if (begin >= end) throw new UsageError(`--from must be before --to, got ${timeOf(begin)} and ${timeOf(end)}`);
  const symbols = symbolsOf(context, options.symbols);
  if (symbols.includes('*')) throw new UsageError('--symbols: history is asked by symbol: name them, rather than *');
  const provider = await providerOf(context, options);
  if (!provider.history) throw new UsageError(`${provider.name} has no history: no backfill is possible`);
  const { timeframes } = provider;
  const usual = timeframes === undefined || timeframes.includes('1m') ? '1m' : (timeframes[0] ?? '1m');
  const { timeframe = usual } = options;
  if (options.timeframe !== undefined && !kinds.includes('bar'))
    throw new UsageError('--timeframe needs bars in --kinds');
  const span = { from: begin, to: end };
  for (const of of kinds) {
    try {
      // What a provider cannot be asked is an error of the call; nothing is sent before the first page is wanted.
      provider.history({ of, symbol: symbols[0]!, ...(of === 'bar' && { timeframe }), from: begin, to: end });
    } catch (error) {
      throw new UsageError(messageOf(error), { cause: error });
    }
  }
  return { provider, symbols, kinds, timeframe, span, chunk, now };
}

/** A bar that is still forming is not asked: the answer would be one that is not final. */
function spanOf({ span, timeframe, now }: Request, of: RecordKind): Span {
  if (of !== 'bar') return span;
  let barMs: number;
  try {
    barMs = timeframeMs(timeframe);
  } catch {
    return span;
  }
  return { from: span.from, to: Math.min(span.to, Math.floor(now / barMs) * barMs) };
}

/** The plan of each series in turn: what is asked of it, and what is closed. */
async function* plansOf(store: Store, request: Request, hasGaps: boolean): AsyncGenerator<SeriesPlan> {
  const { provider, symbols, kinds, timeframe, now } = request;
  const ledger = storeLedger(store.pool);
  for (const symbol of symbols) {
    for (const of of kinds) {
      const series: Series = { vendor: provider.name, symbol, of, ...(of === 'bar' && { timeframe }) };
      const span = spanOf(request, of);
      if (span.from >= span.to) continue;
      const ends = { from: span.from, to: span.to - 1 };
      const closed = hasGaps ? await all(from(ledger.closed({ ...series, ...ends }))) : [];
      const open = hasGaps
        ? await all(gaps(store.pool, { states: ['open'], vendor: series.vendor, symbol, of, to: span.to }))
        : [];
      yield planSeries(series, span, {
        chunkMs: request.chunk ?? chunkMsOf(of),
        closed,
        open: open.filter((gap) => gap.timeframe === series.timeframe),
        seq: gapSeq('open', now),
      });
    }
  }
}

function all<T>(items$: Observable<T>): Promise<T[]> {
  // Bounded because they are the gaps of one series.
  return lastValueFrom(items$.pipe(toArray()));
}

/** The spans of the plans, one at a time. */
function nextOf(plans: AsyncGenerator<SeriesPlan>, account: RepairAccount): () => Promise<Gap | undefined> {
  let asked: readonly Gap[] = [];
  let at = 0;
  return async () => {
    while (at >= asked.length) {
      const { value, done } = await plans.next();
      if (done) return undefined;
      account.skipped += value.skipped;
      asked = value.asked;
      at = 0;
    }
    return asked[at++];
  };
}

function planText({ provider, symbols, kinds, span }: Request, asked: number, known: number): string {
  const of = `${kinds.join(', ')} of ${count(symbols.length)} ${symbols.length === 1 ? 'symbol' : 'symbols'}`;
  const skipped = known === 0 ? '' : `; ${count(known)} are closed already and skipped`;
  const spans = `${count(asked)} ${asked === 1 ? 'span' : 'spans'} to ask`;
  return `${provider.name}: ${of} from ${timeOf(span.from)} to ${timeOf(span.to)}: ${spans}${skipped}`;
}

async function showPlan(
  context: CommandContext,
  request: Request,
  asked: number,
  skipped: number,
  { json }: BackfillOptions,
): Promise<void> {
  // A span of a kind whose own pieces are shorter is asked in pieces; how many pages an answer has, nobody knows before.
  const spans = { total: asked + skipped, asked, skipped };
  if (json) {
    await context.print(
      JSON.stringify({ ...head(request), dryRun: true, spans, requestsAtLeast: asked }, undefined, 2),
    );
  } else {
    await context.print(
      `${planText(request, asked, skipped)}; at least ${count(asked)} ${asked === 1 ? 'request' : 'requests'}`,
    );
  }
}

function head({ provider, kinds, span }: Request): Record<string, unknown> {
  return { provider: provider.name, kinds, from: timeOf(span.from), to: timeOf(span.to) };
}

async function summarise(
  context: CommandContext,
  request: Request,
  account: RepairAccount,
  { json }: BackfillOptions,
): Promise<void> {
  const isFailed = context.exitCode !== EXIT.OK;
  if (!account.isComplete) context.exitCode = EXIT.FAILED;
  const isComplete = account.isComplete && !isFailed;
  if (json) {
    await context.print(JSON.stringify({ ...head(request), isComplete, ...account.json() }, undefined, 2));
  } else {
    await context.print(account.text());
  }
  if (!isComplete) {
    await context.report('not complete: run the same command again to go on; what is closed is not asked again');
  }
}
