/** A node from its bytes alone, as a test wants it that hangs it nowhere. */
import { decodeContent } from '../../../src/core/mst/codec.ts';
import { layerOf } from '../../../src/core/mst/key.ts';
import type { Node } from '../../../src/core/mst/node.ts';
import { placeNode } from '../../../src/core/mst/place-node.ts';

/** @param layer As in {@link placeNode}. */
export const decodeNode = (bytes: Uint8Array, layer?: number): Node => {
  const content = decodeContent(bytes);
  const [first] = content.keys;
  return placeNode(content, layer, first === undefined ? undefined : layerOf(first));
};
