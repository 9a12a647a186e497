/** Options of everything that looks up an account. */
import type { NetworkOptions } from '../http/safe-fetch.ts';

/** Where identities are looked up. */
export interface IdentityOptions extends NetworkOptions {
  /** The PLC directory. Default: `https://plc.directory`. */
  readonly plcUrl?: string | undefined;
  /** The account's host, in place of the one in its DID document. It also resolves handles. */
  readonly pdsUrl?: string | undefined;
  /** The DNS-over-HTTPS service with a JSON API that finds handles. Default: Cloudflare's. */
  readonly dohUrl?: string | undefined;
}
