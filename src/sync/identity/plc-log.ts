/** The log of the operations that have changed a did:plc. https://web.plc.directory/spec/v0.1/did-plc */
import { RepoError } from '../../core/errors.ts';
import { readBody } from '../http/limited-body.ts';
import { createSafeFetch } from '../http/safe-fetch.ts';
import type { IdentityOptions } from './identity-options.ts';

const PLC_URL = 'https://plc.directory';
/** Most bytes of a log. One operation has about 1 kB. */
export const MAX_PLC_LOG: number = 1024 * 1024;

/**
 * Returns the JSON of the whole log, or of its last operation.
 * @throws {RepoError} `DidNotFound` when the directory has no log of the DID; `HostFailed` when it is not JSON; the
 *   errors of a request.
 */
export const plcLog = async (did: string, part: 'audit' | 'last', options: IdentityOptions): Promise<unknown> => {
  const url = new URL(`/${did}/log/${part}`, options.plcUrl ?? PLC_URL);
  const response = await createSafeFetch(options)(url);
  const body = await readBody(response, MAX_PLC_LOG);
  if (!response.ok) {
    throw new RepoError(
      'DidNotFound',
      `the PLC directory has no operation of the DID: check its address; did=${did} status=${response.status}`,
    );
  }
  try {
    return JSON.parse(new TextDecoder().decode(body)) as unknown;
  } catch (cause) {
    throw new RepoError('HostFailed', `the PLC directory did not return JSON: try again later; did=${did}`, { cause });
  }
};
