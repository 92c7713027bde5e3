import { baseName, type Files } from '../repository.js';
import { body, docblockOf, exportsOf, isNode, nameOf, parse, type SyntaxNode } from '../syntax.js';
import { cell, plain } from './tables.js';

/** What a codec checks of one kind of record: the words of its fields. */
export interface RecordKindDescription {
  /** The name of the type. */
  readonly name: string;
  readonly fields: Readonly<Record<string, { readonly expected: string; readonly is: (value: unknown) => boolean }>>;
}

const CODECS = 'src/market/codecs.ts';

/** The page of all kinds of records: what each field is and must be, which codec checks it, and what makes two records the same. */
export function recordsPage(kinds: Readonly<Record<string, RecordKindDescription>>, files: Files): string {
  const parts = Object.entries(kinds).map(([kind, description]) => sectionOf(kind, description, files));
  const intro = [
    '# Records',
    '<!-- Generated from src/market by `npm run docs`. Change the docblocks there. -->',
    [
      'What providers send and tables hold, by `kind`. Each kind has a type, a codec that checks unknown input, and a key, all from',
      '`sluice/market`. [Codecs](codecs.md) shows how to check records, and what a refusal says. `marketEventCodec` checks a record of any',
      'kind by the codec of its `kind`.',
    ].join('\n'),
  ];
  return `${[...intro, ...parts].join('\n\n')}\n`;
}

function sectionOf(kind: string, { name, fields }: RecordKindDescription, files: Files): string {
  const path = [...files.keys()].find(
    (file) => /^src\/market\/\w+\.ts$/.test(file) && baseName(file) !== 'index' && interfaceIn(file, name, files),
  );
  if (!path) throw new Error(`no file of src/market declares the interface ${name}`);
  const text = files.get(path) ?? '';
  const declared = interfaceIn(path, name, files)!;
  const docblocks = new Map<string, string>();
  for (const member of isNode(declared.body) ? body(declared.body) : []) {
    docblocks.set(nameOf(member.key), docblockOf(text, member)?.text ?? '');
  }
  const codecs = files.get(CODECS) ?? '';
  const [, codec = ''] = new RegExp(`export const (\\w+): Codec<${name}> = recordCodec`).exec(codecs) ?? [];
  const key = exportsOf(parse(path, text)).find((one) => one.kind === 'function' && one.name.endsWith('Key'));
  if (!codec || !key) throw new Error(`${name} has no codec in ${CODECS}, or no key in ${path}`);
  const about = exportsOf(parse(CODECS, codecs)).find((one) => one.name === codec)!;

  const rows = Object.entries(fields).map(([field, { expected, is }]) => {
    const must = is(undefined) ? `${expected}; may be left out` : expected;
    return `| \`${field}\` | ${cell(must)} | ${cell(docblocks.get(field) ?? '')} |`;
  });
  return [
    `## ${kind}`,
    spoken(text, outerOf(path, name, files)),
    `**\`${codec}\`**: ${spoken(codecs, about.node)}`,
    `**\`${key.name}\`**: ${spoken(text, key.node)}`,
    [`| Field of \`${name}\` | Must be | Meaning |`, '|---|---|---|', ...rows].join('\n'),
  ].join('\n\n');
}

function spoken(text: string, node: SyntaxNode): string {
  return plain((docblockOf(text, node)?.text ?? '').replace(/\s+/g, ' '));
}

function outerOf(path: string, name: string, files: Files): SyntaxNode {
  return exportsOf(parse(path, files.get(path) ?? '')).find((one) => one.name === name)!.node;
}

function interfaceIn(path: string, name: string, files: Files): SyntaxNode | undefined {
  const one = exportsOf(parse(path, files.get(path) ?? '')).find((candidate) => candidate.name === name);
  const declaration = one && isNode(one.node.declaration) ? one.node.declaration : undefined;
  return declaration?.type === 'TSInterfaceDeclaration' ? declaration : undefined;
}
