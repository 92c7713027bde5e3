import type { RunReport } from '../operators/running/runReport.js';
import { count } from '../primitives/count.js';
import { messageOf } from '../primitives/messageOf.js';
import { oneLine } from '../primitives/oneLine.js';
import { redactText } from '../primitives/redact.js';

/** A message of a sink may quote what it was given. */
const MAX_SENTENCE = 1_000;

/** How many causes are named, and how many lines of the innermost stack are shown. */
const MAX_CAUSES = 4;
const MAX_FRAMES = 3;

/** What an error says, as one line without secrets. */
export function sentenceOf(error: unknown): string {
  let message: string;
  try {
    message = saidBy(error);
  } catch {
    message = 'an error that cannot be read';
  }
  const text = oneLine(redactText(message));
  return text.length > MAX_SENTENCE ? `${text.slice(0, MAX_SENTENCE)}…` : text;
}

/** The AggregateError of a failed connection to several addresses has an empty message; its errors have the reasons. */
function saidBy(error: unknown): string {
  if (!(error instanceof Error) || error.message !== '') return messageOf(error);
  const [first] = error instanceof AggregateError ? error.errors : [];
  return first === undefined ? error.name : saidBy(first);
}

/**
 * What a person reads of a run that failed, where nobody catches its error: the sentence, the causes with their codes, the account,
 * what to do next, and where in the program it began.
 */
export function failureText(
  name: string,
  message: string,
  report: RunReport,
  cause: unknown,
  ownStack: string,
): string {
  const lines = [`${name}: ${message}`];
  const fact = (title: string, text: string) => lines.push(`    ${title.padEnd(8)} ${text}`);
  const chain = causesOf(cause);
  fact('cause', chain.map(labelOf).join(', caused by '));
  // What a wrapper does not repeat of what it wraps.
  for (const inner of chain.slice(1)) {
    const said = sentenceOf(inner);
    if (said !== '' && !lines.some((line) => line.includes(said))) fact('', said);
  }
  fact('account', accountOf(report));
  const held = Object.entries(report.heldBy).map(([stage, items]) => `${oneLine(stage)} ${count(items)}`);
  if (held.length > 0) fact('held in', held.join(', '));
  fact('next', 'mend the cause and run again: what is written stays, and writing it once more changes nothing');
  if (report.diverted > 0) {
    fact('', `see the ${count(report.diverted)} diverted items with \`npx sluice dlq ls\`, if their queue is on disk`);
  }
  fact('more', 'its .cause has the error as it was thrown, its .report what each stage counted');
  return [...lines, ...framesOf(chain.at(-1), ownStack)].join('\n');
}

function accountOf(report: RunReport): string {
  const { received, written, diverted, dropped, held } = report;
  const given = Object.values(dropped).reduce((sum, items) => sum + items, 0);
  const parts = { received, written, diverted, dropped: given, held };
  const text = Object.entries(parts).map(([name, items]) => `${name} ${count(items)}`);
  return `${text.join(', ')}${held > 0 ? ' (lost unless their source gives them again)' : ''}`;
}

/** The error and what caused it, outermost first. */
function causesOf(error: unknown): unknown[] {
  const chain: unknown[] = [];
  let link = error;
  while (link !== undefined && link !== null && chain.length < MAX_CAUSES && !chain.includes(link)) {
    chain.push(link);
    const { cause, errors } = link as { cause?: unknown; errors?: unknown };
    link = cause ?? (Array.isArray(errors) ? errors[0] : undefined);
  }
  return chain.length > 0 ? chain : [error];
}

/** `StoreError SLUICE_STORE_TABLE 42P01`. */
function labelOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return `${typeof error} ${sentenceOf(error)}`;
  const { name, code, sqlState } = error as { name?: unknown; code?: unknown; sqlState?: unknown };
  const parts = [name ?? 'Error', code, sqlState].filter(
    (part) => typeof part === 'string' || typeof part === 'number',
  );
  return oneLine(redactText(parts.join(' '))).slice(0, MAX_SENTENCE);
}

/** The code of this package, which tells a user nothing. */
const OURS = new URL('..', import.meta.url);

/** Where the program itself was when it failed, as far as the innermost error knows: without frames of Node and of packages. */
function framesOf(error: unknown, ownStack: string): string[] {
  const all = [...framesIn(error instanceof Error ? error.stack : undefined), ...framesIn(ownStack)];
  const own = all.filter((line) => !/\(?node:|[\\/]node_modules[\\/]/.test(line) && !line.includes(OURS.href));
  // At least one, by which tools tell a stack from other texts.
  return (own.length > 0 ? own : all).slice(0, MAX_FRAMES);
}

function framesIn(stack: string | undefined): string[] {
  if (typeof stack !== 'string') return [];
  return stack
    .split('\n')
    .filter((line) => /^ {4}at /.test(line))
    .map((line) => `    ${oneLine(line.trim())}`);
}
