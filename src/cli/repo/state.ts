import type { CID } from '../../index.ts';
import { isRepoError, parseCid } from '../../index.ts';

/**
 * Parses the name of a state: returns a CID for the text of a CID, and a rev or a ref unchanged.
 */
export const parseState = (text: string): string | CID => {
  try {
    return parseCid(text);
  } catch (error) {
    if (!isRepoError(error, 'Malformed')) {
      throw error;
    }
    return text;
  }
};
