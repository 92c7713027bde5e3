import { resolve } from 'node:path';
import { Command } from 'commander';
import { PipelineMonitor } from '../../flow/monitor.js';
import type { RecordKind } from '../../market/recordKinds.js';
import { run } from '../../pipelines/run.js';
import { isRunError } from '../../pipelines/runError.js';
import { count } from '../../primitives/count.js';
import { captureFrames, type FrameCapture } from '../../providers/frames/captureFrames.js';
import { isUnreachable } from '../../providers/isUnreachable.js';
import { isProviderError } from '../../providers/providerErrors.js';
import { type CommandContext, EXIT, UsageError } from '../commandContext.js';
import { formatError } from '../formatError.js';
import { names, path, span } from '../parsers.js';
import { PROVIDER_HELP, providerOf } from '../providerOf.js';

interface CaptureOptions {
  readonly provider: string;
  readonly symbols: readonly string[];
  readonly kinds?: readonly string[];
  readonly timeframe?: string;
  readonly to: string;
  readonly for?: number;
  readonly url?: string;
  readonly json?: true;
}

/** `sluice capture`: records the frames of a provider into a folder. */
export function captureCommand(context: CommandContext): Command {
  return new Command('capture')
    .summary('record what a provider sends, for a replay')
    .description(
      'Connects to a provider, subscribes, and records every frame in both directions with its time, until --for has passed or ' +
        'Ctrl-C. Secrets are replaced. `replayFrames()` and `npm start -- --replay` play the capture again.',
    )
    .requiredOption('--provider <name>', PROVIDER_HELP)
    .requiredOption('--symbols <list>', 'as the vendor spells them, with commas between them', names)
    .requiredOption('--to <folder>', 'the folder of the capture', path)
    .option('--kinds <list>', 'such as trade,quote,bar (default: all that the provider has)', names)
    .option('--timeframe <name>', 'of bars, such as 1m')
    .option('--for <time>', 'how long, such as 60s (default: until Ctrl-C)', span)
    .option('--url <address>', "another address than the vendor's own, such as that of a fake")
    .option('--json', 'print one JSON document, as described in docs/cli.md')
    .action((options: CaptureOptions) => capture(context, options));
}

async function capture(context: CommandContext, options: CaptureOptions): Promise<void> {
  const folder = resolve(context.terminal.cwd, options.to);
  const monitor = new PipelineMonitor();
  const stop = new AbortController();
  let trouble: unknown;
  let hasFailed = false;
  const frames = captureFrames(folder, {
    onError(error) {
      if (frames.counts.fileBytes > 0) {
        void context.report(`${formatError(error)}; it is tried again`).catch(() => {});
        return;
      }
      trouble = error;
      stop.abort();
    },
  });
  const provider = await providerOf(context, options, {
    wrapConnect: frames.wrapConnect,
    onRetry({ error, delayMs }) {
      if (monitor.feeds.some(({ messages }) => messages > 0)) return;
      // The vendor has never said a word: it will not at the next attempt either.
      if (isUnreachable(error)) throw error;
      const again = `it is tried again in ${Math.ceil(delayMs / 1_000)} s`;
      void context.report(`${formatError(error)}; ${again}`).catch(() => {});
    },
    onRefused: ({ series, error }) => {
      void context.report(`${series.of} ${series.symbol}: ${formatError(error)}`).catch(() => {});
    },
  });
  const request = {
    // What the provider does not have is an error of its own.
    kinds: (options.kinds as readonly RecordKind[] | undefined) ?? provider.kinds,
    symbols: options.symbols,
    ...(options.timeframe !== undefined && { timeframe: options.timeframe }),
  };
  const timer = options.for === undefined ? undefined : setTimeout(() => stop.abort(), options.for);
  try {
    const records$ = readingRequest(() => provider.stream(request));
    await context.telling(
      () => progressOf(monitor, frames),
      () => run(records$, { monitor, stop: stop.signal, emitter: context.terminal.signals }),
    );
    if (trouble !== undefined) throw trouble;
  } catch (error) {
    hasFailed = true;
    const cause = isRunError(error) ? error.cause : error;
    if (!isProviderError(cause)) throw error;
    context.exitCode = cause.retryable ? EXIT.FAILED : EXIT.USAGE;
    await context.report(`error: ${formatError(cause)}`);
  } finally {
    clearTimeout(timer);
    // What failed before the first frame tells a replay nothing.
    if (hasFailed && frames.counts.frames === 0) await frames.discard();
    else await frames.close();
  }
  await summarise(context, folder, frames, options);
}

/** A request that makes no sense is a mistake in the options. */
function readingRequest<R>(stream: () => R): R {
  try {
    return stream();
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message, { cause: error }) : error;
  }
}

function progressOf(monitor: PipelineMonitor, { counts }: FrameCapture): string {
  const feeds = monitor.feeds.map(
    ({ id, state, confirmed, asked }) => `${id} ${state}, ${confirmed} of ${asked} series`,
  );
  return `${feeds.join('; ') || 'connecting'}; ${framesText(counts)}`;
}

async function summarise(
  context: CommandContext,
  folder: string,
  { counts }: FrameCapture,
  { json }: CaptureOptions,
): Promise<void> {
  if (counts.lostFrames > 0) {
    context.exitCode ||= EXIT.FAILED;
    await context.report(`error: the disk was too slow: ${count(counts.lostFrames)} frames are missing`);
  }
  if (json) {
    await context.print(JSON.stringify({ folder, ...counts }, undefined, 2));
  } else {
    const files = `${count(counts.files)} ${counts.files === 1 ? 'file' : 'files'}, ${count(counts.fileBytes)} bytes`;
    await context.print(`${framesText(counts)}, in ${folder} (${files})`);
  }
}

function framesText({ frames, bytes, connections }: FrameCapture['counts']): string {
  const over = `${count(connections)} ${connections === 1 ? 'connection' : 'connections'}`;
  return `captured ${count(frames)} frames of ${count(bytes)} bytes over ${over}`;
}
