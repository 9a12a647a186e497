/** The lists of a storage without its invalid rows. */
import type { LenientReader, StoreReader } from './ports.ts';

/** Returns whether rows of the storage can be invalid. */
export const hasInvalidRows = (maintenance: Partial<LenientReader> | undefined): maintenance is LenientReader =>
  maintenance?.invalidRows !== undefined;

/** Returns the lists that skip invalid rows. If rows cannot be invalid, returns the reader itself. */
export const lenientReads = (store: StoreReader): Pick<StoreReader, 'cids' | 'commits' | 'refs'> =>
  hasInvalidRows(store.maintenance) ? store.maintenance : store;
