/**
 * libsecp256k1 in WebAssembly, the file `secp256k1.wasm` of the package `tiny-secp256k1` 2. It signs secp256k1 in a
 * quarter of the time of JavaScript. The package itself compiles the file synchronously when it is imported.
 */
import type { Bytes } from '../../core/data/bytes.ts';
import { RepoError } from '../../core/errors.ts';

const NUMBER_LENGTH = 32;
const COMPRESSED_LENGTH = 33;

/** Operations on messages of 32 bytes: the SHA-256 of the signed bytes. */
export interface Secp256k1 {
  /** Returns the signature by RFC 6979, with a low s. The secret must be valid. */
  sign(digest: Uint8Array, secret: Uint8Array): Bytes;
  /**
   * Returns whether the signature of 64 bytes is of this key. Accepts a low s only. The key must be a valid point, in
   * compressed form.
   */
  verify(digest: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): boolean;
}

/** The exports of the file that are used. A global has the address of an argument or a result. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly HASH_INPUT: WebAssembly.Global<'i32'>;
  readonly PRIVATE_INPUT: WebAssembly.Global<'i32'>;
  readonly PUBLIC_KEY_INPUT: WebAssembly.Global<'i32'>;
  readonly SIGNATURE_INPUT: WebAssembly.Global<'i32'>;
  initializeContext(): void;
  sign(hasExtraData: number): void;
  verify(keyLength: number, isStrict: number): number;
}

const fromHex = (text: string): Bytes => Uint8Array.from(text.match(/../g)!, (digits) => Number.parseInt(digits, 16));

/** The first number that is too large for r, and the first for s: n, and half of n plus 1. */
const R_LIMIT = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141';
const S_LIMIT = '7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1';

/** The signature of "Satoshi Nakamoto" by the key 1, a vector of Bitcoin libraries. */
const VECTOR = {
  digest: 'a0dc65ffca799873cbea0ac274015b9526505daaaed385155425f7337704883e',
  publicKey: '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
  signature:
    '934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8' +
    '2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5',
};

/** Compares the 32 bytes at an offset with a number, as big-endian integers. */
const compareAt = (bytes: Uint8Array, offset: number, number: Uint8Array): number => {
  for (let i = 0; i < NUMBER_LENGTH; i++) {
    const difference = bytes[offset + i]! - number[i]!;
    if (difference !== 0) {
      return difference;
    }
  }
  return 0;
};

/** Runs the vector, and a damaged copy of it. */
const isRight = ({ sign, verify }: Secp256k1): boolean => {
  const secret = new Uint8Array(NUMBER_LENGTH);
  secret[NUMBER_LENGTH - 1] = 1;
  const [digest, publicKey, signature] = [VECTOR.digest, VECTOR.publicKey, VECTOR.signature].map(fromHex);
  const damaged = signature!.slice();
  damaged[0]! ^= 1;
  const made = sign(digest!, secret);
  return (
    made.every((byte, i) => byte === signature![i]) &&
    verify(digest!, publicKey!, signature!) &&
    !verify(digest!, publicKey!, damaged)
  );
};

/**
 * Compiles the file and tests it.
 * @throws {RepoError} `Unsupported` if the test fails. A file of something else throws an error of WebAssembly or a
 *   `TypeError`.
 */
export const openSecp256k1 = async (file: Uint8Array<ArrayBuffer>): Promise<Secp256k1> => {
  const { instance } = await WebAssembly.instantiate(file, {
    // It randomizes the computations with the secret, which protects them from being measured. Results do not change.
    './rand.js': { generateInt32: () => crypto.getRandomValues(new Int32Array(1))[0] },
    './validate_error.js': {
      throwError: (code: number) => {
        throw new RepoError('Unsupported', `libsecp256k1 refuses an argument: use JavaScript; code=${code}`);
      },
    },
  });
  const wasm = instance.exports as unknown as Exports;
  wasm.initializeContext();
  const [hashAt, secretAt, keyAt, signatureAt] = [
    wasm.HASH_INPUT,
    wasm.PRIVATE_INPUT,
    wasm.PUBLIC_KEY_INPUT,
    wasm.SIGNATURE_INPUT,
  ].map(({ value }) => value) as [number, number, number, number];
  const [zero, rLimit, sLimit] = [new Uint8Array(NUMBER_LENGTH), fromHex(R_LIMIT), fromHex(S_LIMIT)];
  /** A view of the memory ends when the memory grows. */
  const memory = (): Uint8Array<ArrayBuffer> => new Uint8Array(wasm.memory.buffer as ArrayBuffer);
  const isInRange = (signature: Uint8Array, offset: number, limit: Uint8Array): boolean =>
    compareAt(signature, offset, zero) > 0 && compareAt(signature, offset, limit) < 0;

  const opened: Secp256k1 = {
    sign(digest, secret) {
      const before = memory();
      before.set(digest, hashAt);
      before.set(secret, secretAt);
      try {
        wasm.sign(0);
        return memory().slice(signatureAt, signatureAt + 2 * NUMBER_LENGTH);
      } finally {
        memory().fill(0, secretAt, secretAt + NUMBER_LENGTH);
      }
    },
    verify(digest, publicKey, signature) {
      // The WebAssembly throws for a number that is too large, and an exception leaves its stack in use.
      if (
        signature.length !== 2 * NUMBER_LENGTH ||
        !isInRange(signature, 0, rLimit) ||
        !isInRange(signature, NUMBER_LENGTH, sLimit)
      ) {
        return false;
      }
      const before = memory();
      before.set(digest, hashAt);
      before.set(publicKey, keyAt);
      before.set(signature, signatureAt);
      return wasm.verify(COMPRESSED_LENGTH, 1) === 1;
    },
  };
  if (!isRight(opened)) {
    throw new RepoError('Unsupported', 'the WebAssembly of libsecp256k1 fails its test: install tiny-secp256k1 2');
  }
  return opened;
};
