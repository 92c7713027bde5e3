import { Command } from 'commander';
import { filter, lastValueFrom, map, type Observable, tap } from 'rxjs';
import { type Gap, gapSeq } from '../../../market/gap.js';
import { marketDataToStore } from '../../../pipelines/marketDataToStore.js';
import { run } from '../../../pipelines/run.js';
import type { Store } from '../../../postgres/openStore.js';
import { count } from '../../../primitives/count.js';
import { type CommandContext, EXIT, UsageError } from '../../commandContext.js';
import { addGapOptions, filterOf, type GapOptions, requireChoice } from './gapOptions.js';
import { GapTally } from './gapText.js';
import { readGaps, withGaps } from './readGaps.js';

interface AbandonOptions extends GapOptions {
  readonly reason: string;
  readonly all?: true;
  readonly yes?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

/** `sluice gaps abandon`: closes gaps that nobody will fill, after confirmation. */
export function abandonCommand(context: CommandContext): Command {
  return addGapOptions(new Command('abandon'))
    .summary('close open gaps that nobody will fill, after confirmation')
    .description(
      'Closes open gaps as abandoned, with a reason, after it has counted them and asked. What they lack is then known to be missing ' +
        'for good: no backfill asks for it again.',
    )
    .requiredOption('--reason <text>', 'why, for whoever reads the table later')
    .option('--all', 'every open gap')
    .option('--yes', 'do not ask for confirmation')
    .option('--dry-run', 'count them and change nothing')
    .option('--json', 'print one JSON document: { gaps, abandoned, dryRun }')
    .action(async (options: AbandonOptions) => {
      requireChoice(options);
      if (options.reason.trim() === '') throw new UsageError('--reason must say why');
      if (!options.yes && !options.dryRun && !context.terminal.isInteractive) {
        throw new UsageError('refusing to abandon gaps without confirmation: no terminal attached; pass --yes');
      }
      await abandon(context, options);
    });
}

async function abandon(context: CommandContext, options: AbandonOptions): Promise<void> {
  const now = Date.now();
  const selection = filterOf(context, options, ['open'], now);
  // What is opened after the count is not part of what was confirmed.
  const isCounted = ({ seq }: Gap) => seq <= gapSeq('open', now);
  const result = await withGaps(context, options, async (store) => {
    const tally = new GapTally();
    const selected$ = readGaps(store, selection).pipe(filter(isCounted));
    await context.telling(
      () => `${count(tally.gaps)} gaps counted`,
      () => lastValueFrom(selected$.pipe(tap((gap) => tally.add(gap))), { defaultValue: undefined }),
    );
    const { gaps } = tally;
    const { dryRun = false, json } = options;
    if (!json || dryRun) await context.report(tally.text('open'));
    if (dryRun || gaps === 0) return { gaps, abandoned: 0, dryRun };
    if (!options.yes) {
      const question = `Abandon ${tally.text('open')} for good? Type yes: `;
      if ((await context.terminal.ask(question)).trim() !== 'yes') {
        await context.report('nothing was abandoned');
        context.exitCode = EXIT.FAILED;
        return { gaps, abandoned: 0, dryRun };
      }
    }
    return { gaps, abandoned: await close(context, store, selected$, options.reason.trim()), dryRun };
  });
  const { gaps, abandoned, dryRun } = result ?? { gaps: 0, abandoned: 0, dryRun: options.dryRun ?? false };
  if (options.json) await context.print(JSON.stringify({ gaps, abandoned, dryRun }));
  else if (!dryRun && context.exitCode === EXIT.OK) await context.print(`abandoned ${gapsText(abandoned)}`);
}

/** Writes the closed records as a pipeline would, and resolves to how many were written. */
async function close(
  context: CommandContext,
  { pool }: Store,
  open$: Observable<Gap>,
  reason: string,
): Promise<number> {
  const { coordinator, retry, breaker } = context.settings();
  let written = 0;
  const closed$ = open$.pipe(
    map((gap): Gap => ({ ...gap, state: 'abandoned', reason, seq: gapSeq('abandoned', Date.now()) })),
    marketDataToStore(pool, { coordinator, policies: { retry, breaker } }),
    tap(({ rows }) => {
      written += rows;
    }),
  );
  const { outcome } = await context.telling(
    () => `${gapsText(written)} abandoned so far`,
    () => run(closed$, { emitter: context.terminal.signals }),
  );
  if (outcome !== 'completed') {
    context.exitCode = EXIT.FAILED;
    await context.report(
      `stopped: ${gapsText(written)} are abandoned, the others are still open; run it again for those`,
    );
  }
  return written;
}

function gapsText(n: number): string {
  return `${count(n)} ${n === 1 ? 'gap' : 'gaps'}`;
}
