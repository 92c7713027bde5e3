/** Receives the elements of a text in their order. Names and texts are as they are written, with entities decoded. */
export interface XmlReader {
  open(name: string, attributes: Readonly<Record<string, string>>): void;
  /** `text` is what stood between the tags, directly in this element. */
  close(name: string, text: string): void;
}

const MAX_LENGTH = 8_000_000;
const MAX_DEPTH = 64;

const TOKEN =
  /<(?:\?[^>]*\?|!--[\s\S]*?--|!\[CDATA\[([\s\S]*?)\]\]|(\/)?([A-Za-z_][\w.:-]*)((?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/)?)>|([^<]+)/y;
const ATTRIBUTE = /([\w.:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/**
 * Reads the elements of an XML text: as much of XML as reports need. Document types are refused, and with them entities of their
 * own, so that no text can grow. Returns in words what is wrong, or `undefined`.
 */
export function readXml(xml: string, reader: XmlReader): string | undefined {
  if (xml.length > MAX_LENGTH) return `more than ${MAX_LENGTH} characters`;
  const open: { readonly name: string; text: string }[] = [];
  let hasRoot = false;
  let at = 0;
  while (at < xml.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(xml);
    if (!match) return `no XML at character ${at}`;
    at = TOKEN.lastIndex;
    const [, cdata, isClosing, name, attributes = '', isEmpty, text] = match;
    const parent = open.at(-1);
    if (text !== undefined || cdata !== undefined) {
      if (parent) parent.text += cdata ?? decode(text!);
      else if (cdata !== undefined || text!.trim().replace('\uFEFF', '') !== '') return 'text outside of the root';
    } else if (isClosing) {
      if (parent?.name !== name) return `</${name}> closes nothing`;
      open.pop();
      reader.close(parent!.name, parent!.text);
    } else if (name !== undefined) {
      if (!parent && hasRoot) return 'more than one root';
      if (open.length === MAX_DEPTH) return `more than ${MAX_DEPTH} levels`;
      hasRoot = true;
      reader.open(name, attributesOf(attributes));
      if (isEmpty) reader.close(name, '');
      else open.push({ name, text: '' });
    }
  }
  if (open.length > 0) return `<${open.at(-1)!.name}> is not closed`;
  return hasRoot ? undefined : 'no root';
}

function attributesOf(text: string): Readonly<Record<string, string>> {
  const attributes: Record<string, string> = Object.create(null);
  for (const [, name = '', double, single = ''] of text.matchAll(ATTRIBUTE))
    attributes[name] = decode(double ?? single);
  return attributes;
}

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decode(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:(lt|gt|amp|quot|apos)|#(\d{1,7})|#x([\da-f]{1,6}));/gi, (all, named, decimal, hex) => {
    if (named) return NAMED[String(named).toLowerCase()]!;
    const code = decimal ? Number(decimal) : Number.parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}
