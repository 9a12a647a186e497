/** Loads libsecp256k1 in Node and Bun, if the user has installed `tiny-secp256k1` beside this package. Not in Deno. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
// Under another name, because bundles of programs often begin with an import of `createRequire`.
import { createRequire as createRequireFrom } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { SignBytes } from '../../core/crypto/signing-key.ts';
import type { FastVerify } from './node-signatures.ts';
import type { Secp256k1 } from './secp256k1-wasm.ts';
import { openSecp256k1 } from './secp256k1-wasm.ts';

/**
 * The number of signatures that JavaScript makes or checks before the file is loaded. Loading takes as much processor
 * time as about five signatures of a new process. A process that makes one commit does not load it.
 */
const USES_BEFORE_LOADING = 4;

let uses = 0;
let loading: Promise<Secp256k1 | undefined> | undefined;
let loaded: Secp256k1 | undefined;

/** Its `package.json` exports only the main module: `lib/cjs/index.cjs` for `require`, or `lib/index.js`. */
const wasmFile = (from: string): URL => {
  const main = createRequireFrom(from).resolve('tiny-secp256k1');
  return new URL(main.endsWith('.cjs') ? '../secp256k1.wasm' : 'secp256k1.wasm', pathToFileURL(main));
};

/**
 * Returns libsecp256k1, or `undefined` if the package is missing, is of another version or cannot run.
 * @param from The path or URL of the module that the package is resolved from.
 */
export const readSecp256k1 = async (from: string): Promise<Secp256k1 | undefined> => {
  // Deno would ask the user for the permission to read the file.
  if ('Deno' in globalThis) {
    return undefined;
  }
  try {
    return await openSecp256k1(new Uint8Array(await readFile(wasmFile(from))));
  } catch {
    // Not an error: JavaScript and OpenSSL have the same results.
    return undefined;
  }
};

/** Loads libsecp256k1 once in the process. */
export const loadSecp256k1 = (): Promise<Secp256k1 | undefined> => {
  loading ??= readSecp256k1(import.meta.url).then((opened) => {
    loaded = opened;
    return opened;
  });
  return loading;
};

/** Counts a use. Returns whether it is time to load. */
const isTimeToLoad = (): boolean => loading === undefined && ++uses > USES_BEFORE_LOADING;

/** Runs on libsecp256k1 if it is loaded. Returns `undefined` otherwise. */
const attempt = <T>(run: (library: Secp256k1) => T): T | undefined => {
  try {
    return loaded && run(loaded);
  } catch {
    // Its memory may be damaged: JavaScript and OpenSSL take over.
    loaded = undefined;
    return undefined;
  }
};

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

/** Signs with keys of secp256k1. */
export const nodeSignBytes: SignBytes = async (curve, secret, bytes) => {
  if (curve !== 'secp256k1') {
    return undefined;
  }
  if (isTimeToLoad()) {
    // Awaited, because a program that only writes never returns to the event loop, which reads the file.
    await loadSecp256k1();
  }
  return attempt((library) => library.sign(sha256(bytes), secret));
};

/** Checks signatures of secp256k1. */
export const nodeFastVerify: FastVerify = ({ curve, publicKey }, bytes, signature) => {
  if (curve !== 'secp256k1') {
    return undefined;
  }
  if (isTimeToLoad()) {
    void loadSecp256k1();
  }
  return attempt((library) => library.verify(sha256(bytes), publicKey, signature));
};
