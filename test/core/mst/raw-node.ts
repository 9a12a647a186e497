/** Hostile nodes: any field can be of any type, missing or duplicate. */
import { createHash } from 'node:crypto';
import { concatBytes } from '../../../src/core/data/bytes.ts';
import type { CidBytes } from '../../../src/core/data/cid.ts';
import { cidOf } from '../../../src/core/data/cid.ts';
import { commonPrefixLength } from '../../../src/core/mst/key.ts';
import type { Block } from '../../../src/core/blocks/block.ts';

/** Encoded CBOR that is inserted unchanged. */
export type Raw = Uint8Array;

const encoder = new TextEncoder();

export const head = (major: number, value: number): Raw =>
  Uint8Array.from(
    value < 24
      ? [(major << 5) | value]
      : value < 0x100
        ? [(major << 5) | 24, value]
        : value < 0x1_0000
          ? [(major << 5) | 25, value >> 8, value & 255]
          : [(major << 5) | 26, value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255],
  );

export const uint = (value: number): Raw => head(0, value);
export const byteString = (bytes: Uint8Array | string): Raw => {
  const content = typeof bytes === 'string' ? encoder.encode(bytes) : bytes;
  return concatBytes([head(2, content.length), content]);
};
export const textString = (value: string): Raw =>
  concatBytes([head(3, encoder.encode(value).length), encoder.encode(value)]);
export const list = (...items: readonly Raw[]): Raw => concatBytes([head(4, items.length), ...items]);
export const map = (...fields: readonly (readonly [string, Raw])[]): Raw =>
  concatBytes([head(5, fields.length), ...fields.flatMap(([name, value]) => [textString(name), value])]);
export const hex = (text: string): Raw => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
export const NULL: Raw = hex('f6');
export const link = (cid: CidBytes): Raw => concatBytes([hex('d82a 5825 00'), cid]);
export const linkOrNull = (cid: CidBytes | undefined): Raw => (cid === undefined ? NULL : link(cid));

/** An entry with any of its fields replaced, or left out with `undefined`. */
export const entry = (fields: {
  k?: Raw | undefined;
  p?: Raw | undefined;
  t?: Raw | undefined;
  v?: Raw | undefined;
}): Raw => map(...Object.entries(fields).filter((field): field is [string, Raw] => field[1] !== undefined));

/** A tree as its writer pleases: nested nodes, whatever their keys' layers and order. */
export interface Shape {
  readonly keys: readonly string[];
  readonly values?: readonly CidBytes[];
  /** One more than there are keys. */
  readonly children?: readonly (CidBytes | Shape | undefined)[];
}

/** The root of a shape; its nodes go to `onBlock`. Fields are in their order and prefixes as they should be. */
export const writeShape = ({ keys, values, children = [] }: Shape, onBlock: (block: Block) => void): CidBytes => {
  const links = Array.from({ length: keys.length + 1 }, (_, i) => {
    const child = children[i];
    return linkOrNull(child === undefined || child instanceof Uint8Array ? child : writeShape(child, onBlock));
  });
  const entries = keys.map((key, i) => {
    const prefix = i === 0 ? 0 : commonPrefixLength(keys[i - 1]!, key);
    const value = values?.[i] ?? (cidOf(0x71, encoder.encode(key)).bytes as CidBytes);
    return entry({ k: byteString(key.slice(prefix)), p: uint(prefix), t: links[i + 1]!, v: link(value) });
  });
  const bytes = map(['e', list(...entries)], ['l', links[0]!]) as Uint8Array<ArrayBuffer>;
  const cid = cidOf(0x71, bytes);
  onBlock({ cid, bytes });
  return cid.bytes as CidBytes;
};

/** The layer of a key: the pairs of leading zero bits of its hash. Node's SHA-256 is several times as fast as ours. */
const layerOf = (key: string): number => {
  const bits = BigInt(`0x1${createHash('sha256').update(key).digest('hex')}`)
    .toString(2)
    .slice(1);
  return bits.indexOf('1') >> 1;
};

/** The first `count` keys of a layer that come after a text. */
export const keysOfLayer = (layer: number, count: number, after = 'a/'): string[] => {
  const keys: string[] = [];
  for (let i = 0; keys.length < count; i++) {
    const key = `${after}${i.toString().padStart(6, '0')}`;
    if (layerOf(key) === layer) {
      keys.push(key);
    }
  }
  return keys;
};
