/** SHA-256 of the platform for messages that come in parts, in Node, Deno and Bun. For short ones: `node-hash.ts`. */
import { createHash } from 'node:crypto';
import type { CreateHash } from '../../core/data/sha256.ts';

/** It takes a tenth of the time of JavaScript, and a fifth of the time of WebAssembly. */
export const nativeHashStream: CreateHash = () => createHash('sha256');
