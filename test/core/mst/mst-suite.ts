/** The 128 trees and 16,384 pairs of DavidBuchanan314/mst-test-suite. */
import { gunzipSync } from 'node:zlib';
import { readCar } from '../../../src/core/car/reader.ts';
import type { CID } from '../../../src/core/data/cid.ts';
import { cidToText } from '../../../src/core/data/cid.ts';
import { vectorBytes } from '../../vectors.ts';
import { BlocksInMemory } from './blocks-in-memory.ts';

/** A pair of trees, with the expected differences and proofs. */
export interface SuitePair {
  readonly inputs: { readonly mst_a: string; readonly mst_b: string };
  readonly results: {
    readonly created_nodes: readonly string[];
    readonly deleted_nodes: readonly string[];
    readonly record_ops: readonly {
      readonly rpath: string;
      readonly old_value: string | null;
      readonly new_value: string | null;
    }[];
    readonly proof_nodes: readonly string[];
    readonly inductive_proof_nodes: readonly string[];
  };
}

/** Names a pair in a failure. */
export const nameOf = ({ inputs }: SuitePair): string => `${inputs.mst_a} to ${inputs.mst_b}`;

export const namesOf = (proof: readonly { readonly cid: CID }[]): string[] => proof.map(({ cid }) => cidToText(cid));

/** The suite in memory. */
export class MstSuite {
  readonly pairs: readonly SuitePair[];
  /** By the path of the tree. */
  readonly roots: ReadonlyMap<string, CID>;
  readonly blocks: BlocksInMemory = new BlocksInMemory();

  constructor() {
    const lines = gunzipSync(vectorBytes('mst-suite/diff-cases.ndjson.gz')).toString().trim().split('\n');
    this.pairs = lines.map((line) => JSON.parse(line) as SuitePair);
    const roots = new Map<string, CID>();
    for (const path of new Set(this.pairs.flatMap(({ inputs }) => Object.values(inputs)))) {
      const car = readCar(vectorBytes(`mst-suite/${path}`));
      roots.set(path, car.roots[0]!);
      this.blocks.put(...car);
    }
    this.roots = roots;
  }

  /** Returns the roots of both trees of a pair. */
  rootsOf({ inputs }: SuitePair): readonly [CID, CID] {
    return [this.roots.get(inputs.mst_a)!, this.roots.get(inputs.mst_b)!];
  }

  /** Returns a reader of a part of the blocks. */
  blocksOf(names: readonly string[]): BlocksInMemory {
    const some = new BlocksInMemory();
    for (const name of names) {
      some.blocks.set(name, this.blocks.blocks.get(name)!);
    }
    return some;
  }
}
