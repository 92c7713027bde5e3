/**
 * Replays a folder of dead letters into a file, one line an item, synced before a write counts. Loads first, and begins when
 * its parent says so: `replayProgram.js <folder> <file> <mode>`. `refuse`: the sink takes no item whose number ends in 7;
 * `die`: item 13 ends the process; `take`: it takes everything.
 */
import { open } from 'node:fs/promises';
import { lastValueFrom } from 'rxjs';
import type { Sink } from '../../src/contracts/sink.js';
import { openDeadLetters } from '../../src/dead-letters/openDeadLetters.js';
import { replayDeadLetters } from '../../src/dead-letters/replayDeadLetters.js';
import { coded } from '../support/errors.js';

export interface Numbered {
  readonly n: number;
}

const [folder = '', path = '', mode = 'take'] = process.argv.slice(2);
const file = await open(path, 'a');

const sink: Sink<Numbered> = {
  name: 'file',
  async *write(batch) {
    if (mode === 'die' && batch.some(({ n }) => n === 13)) process.kill(process.pid, 'SIGKILL');
    const refused = mode === 'refuse' ? batch.find(({ n }) => n % 10 === 7) : undefined;
    if (refused) throw coded('22003', `item ${refused.n} is refused`);
    // A line end first: a process that was killed may have left half of a line.
    await file.write(`\n${batch.map(({ n }) => n).join('\n')}\n`);
    await file.datasync();
    yield { rows: batch.length };
  },
};

process.stdout.write('loaded\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
process.stdin.destroy();
const queue = await openDeadLetters<Numbered>(folder, { pipeline: 'numbers' });
process.stdout.write('begun\n');
const maxReplays = mode === 'die' ? 3 : 1_000;
await lastValueFrom(replayDeadLetters(queue, { sink, maxReplays }));
await queue.close();
await file.close();
