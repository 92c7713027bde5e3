import type { DeadLetterHold, DeadLetterQueue } from '../../../dead-letters/deadLetterQueue.js';
import type { LetterProblem } from '../../../dead-letters/letterStore.js';
import { openDeadLetters } from '../../../dead-letters/openDeadLetters.js';
import type { Invocation } from '../../invocation.js';
import { sentence } from '../../sentence.js';
import { tallyText } from './letterText.js';

/** Opens a folder of dead letters for changes, which no other process may make meanwhile, and closes it after the work. */
export async function withQueue<R>(
  invocation: Invocation,
  folder: string,
  work: (queue: DeadLetterQueue<unknown>) => Promise<R>,
): Promise<R> {
  const tell = (text: string) => void invocation.tell(text).catch(() => {});
  const queue = await openDeadLetters<unknown>(folder, {
    pipeline: 'sluice dlq',
    onProblem: (problem) => tell(`warning: ${problemText(problem)}`),
    onHold: (hold) => tell(holdText(hold)),
  });
  try {
    return await work(queue);
  } finally {
    await queue.close();
  }
}

/** What is done to letters is written down too, so that a disk may be waited for when no letter is. */
export function holdText({ error, letters, items }: DeadLetterHold): string {
  const what = letters === 0 ? '' : `, ${tallyText({ letters, items })} wait`;
  return `waiting: the disk takes nothing (${sentence(error)})${what}: make room, and it goes on`;
}

function problemText(problem: LetterProblem): string {
  const { segment } = problem;
  return problem.kind === 'quarantined'
    ? `${segment} is damaged at byte ${problem.offset}: its ${problem.length} bytes are kept in ${problem.path}`
    : `${segment} has ${problem.letters} letters of a version that this program does not know: they are left alone`;
}
