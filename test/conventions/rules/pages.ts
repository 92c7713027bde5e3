import type { Files } from '../repository.js';
import { docblockOf, exportsOf, isNode, nameOf, parse, type SyntaxNode } from '../syntax.js';
import { LEAD_INS } from './docblocks.js';
import { cell, constructorOf, memberSection, optionTables, plain } from './tables.js';

/** The lead-ins that stand in the table at the top of a page: what a reader compares first. */
const AT_A_GLANCE = ['Emits when', 'Backpressure', 'Completes when', 'Errors when'];

/** What follows this line on a page is written by hand, and kept. */
export const NOTES = '## Notes';

/** The parts of a docblock that a page is made of. */
export interface Docblock {
  readonly summary: string;
  readonly marble: string | undefined;
  /** Text between the drawing and the first lead-in. */
  readonly details: string;
  readonly sections: ReadonlyMap<string, string>;
  readonly example: string | undefined;
}

export function readDocblock(text: string): Docblock {
  const [before = '', tags = ''] = splitAt(text, text.search(/^@example/m));
  const marble = /^```text\n[\s\S]*?^```/m.exec(before)?.[0];
  const [intro = '', rest = ''] = marble ? splitAt(before, before.indexOf(marble)) : [before, ''];
  const body = marble ? rest.slice(marble.length) : '';
  const leadIn = new RegExp(`^\\*\\*(${LEAD_INS.join('|')})[.:]?\\*\\*:?`, 'm');
  const sections = new Map<string, string>();
  const spoken = marble ? body : intro;
  let remaining = spoken.slice(firstIndex(spoken.search(leadIn), spoken.length));
  const details = spoken.slice(0, spoken.length - remaining.length);
  for (let match = leadIn.exec(remaining); match; match = leadIn.exec(remaining)) {
    remaining = remaining.slice(match.index + match[0].length);
    const end = firstIndex(remaining.search(leadIn), remaining.length);
    sections.set(match[1] ?? '', remaining.slice(0, end).trim());
    remaining = remaining.slice(end);
  }
  return {
    summary: plain(marble ? intro : details),
    marble,
    details: marble ? plain(details) : '',
    sections,
    example: /^```ts\n[\s\S]*?^```/m.exec(tags)?.[0],
  };
}

/**
 * The page of the function or class `name` of the file `path`, with a section for each of the `types` that the file declares or
 * imports; what is written by hand under {@link NOTES} in `former` is kept.
 */
export function pageOf(
  name: string,
  path: string,
  files: Files,
  former: string | undefined,
  types: readonly string[] = [],
): string {
  const text = files.get(path) ?? '';
  const declared = exportsOf(parse(path, text)).filter((one) => one.name === name);
  // The docblock stands above the first of several overloads.
  const docblock = readDocblock(docblockOf(text, declared[0]!.node)?.text ?? '');
  const section = (title: string, content: string | undefined) => (content ? `## ${title}\n\n${content}` : undefined);
  const spoken = (title: string) => capitalised(plain(docblock.sections.get(title) ?? ''));
  const glance = AT_A_GLANCE.filter((leadIn) => docblock.sections.has(leadIn));
  const parts = [
    `# ${name}`,
    `<!-- Generated from ${path} by \`npm run docs\`. Change the docblock there; only the notes at the end are written here. -->`,
    docblock.summary,
    glance.length > 0
      ? ['| | |', '|---|---|', ...glance.map((title) => `| **${title}** | ${cell(spoken(title))} |`)].join('\n')
      : undefined,
    section('Marble', docblock.marble),
    docblock.details || undefined,
    section(
      'Signature',
      signatures(
        text,
        declared.map(({ node }) => node),
      ),
    ),
    section(
      'Options',
      optionTables(
        declared.map(({ node }) => node),
        path,
        files,
      ),
    ),
    ...LEAD_INS.filter((title) => !AT_A_GLANCE.includes(title)).map((title) =>
      section(title, docblock.sections.has(title) ? spoken(title) : undefined),
    ),
    section('Example', docblock.example),
    ...types.map((type) => memberSection(type, path, files, name)),
    notesOf(former),
  ];
  return `${parts.filter((part) => part !== undefined && part !== '').join('\n\n')}\n`;
}

/** The hand-written part of a page, with its heading. */
function notesOf(page: string | undefined): string | undefined {
  const start = page?.search(new RegExp(`^${NOTES}$`, 'm')) ?? -1;
  return page === undefined || start < 0 ? undefined : page.slice(start).trimEnd();
}

/** How the function is called, without its body. */
function signatures(text: string, nodes: readonly SyntaxNode[]): string {
  const functions = nodes.map((node) => (isNode(node.declaration) ? node.declaration : node));
  const built = functions[0] && constructorOf(functions[0]);
  if (functions[0]?.type === 'ClassDeclaration') {
    const head =
      built && isNode(built.value) && isNode(built.value.body) ? text.slice(built.start, built.value.body.start) : '()';
    return `\`\`\`text\nnew ${nameOf(functions[0].id)}${head.trim().replace(/^constructor/, '')}\n\`\`\``;
  }
  const overloads = functions.filter(({ type }) => type === 'TSDeclareFunction');
  const shown = (overloads.length > 0 ? overloads : functions).map((node) => {
    const end = isNode(node.body) ? node.body.start : node.end;
    return text
      .slice(node.start, end)
      .trim()
      .replace(/^function /, '')
      .replace(/;$/, '');
  });
  return `\`\`\`text\n${shown.join('\n')}\n\`\`\``;
}

/** A section goes on from its lead-in in the docblock, and begins a sentence on the page. */
function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function splitAt(text: string, index: number): [string, string] {
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index)];
}

function firstIndex(index: number, otherwise: number): number {
  return index < 0 ? otherwise : index;
}
