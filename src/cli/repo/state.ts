import type { CID } from '../../index.ts';
import { isRepoError, parseCid } from '../../index.ts';

/**
 * What names a state of the records on a command line: the text of a CID becomes a CID, a rev or a ref stays a text.
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
