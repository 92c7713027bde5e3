import { Command } from 'commander';
import type { CommandContext } from '../commandContext.js';
import { abandonCommand } from './gaps/abandon.js';
import { gapBackfillCommand } from './gaps/backfill.js';
import { lsCommand } from './gaps/ls.js';

/** `sluice gaps`: inspects and closes the gaps of a store. */
export function gapsCommand(context: CommandContext): Command {
  const gaps = new Command('gaps')
    .summary('list, repair or abandon the gaps of a store')
    .description(
      'A gap is a span of time of which records are missing, or may be. Pipelines record them in the table gaps.',
    );
  for (const make of [lsCommand, gapBackfillCommand, abandonCommand]) gaps.addCommand(make(context));
  return gaps;
}
