/**
 * The place in the address of the page: `?repo=did:plc:…#collection/rkey`. Without `?repo` the
 * last open repository is used, so that `#collection/rkey` alone is also a link. The servers in the address stay there.
 */
import { hostParams } from './account/hosts.ts';

export interface Route {
  readonly did?: string | undefined;
  readonly collection?: string | undefined;
  readonly rkey?: string | undefined;
  /** The query. */
  readonly query?: string | undefined;
  /** Whether the search is in all collections. */
  readonly everywhere?: boolean | undefined;
}

const LAST_REPO = 'viewer.lastRepo';

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not an address of this page. The view shows that there is no such record.
    return text;
  }
};

/** Returns the place of the address. */
export const readRoute = ({ search, hash }: Pick<Location, 'hash' | 'search'> = location): Route => {
  const [collection, ...rest] = hash.replace(/^#/, '').split('/').map(decoded);
  const rkey = rest.join('/');
  const place = { collection: collection === '' ? undefined : collection, rkey: rkey === '' ? undefined : rkey };
  const params = new URLSearchParams(search);
  const query = params.get('q') ?? undefined;
  const did = params.get('repo') ?? (place.collection === undefined ? undefined : lastRepo());
  return { did, ...place, query, everywhere: params.has('all') };
};

/** Returns the address of a place. In a DID and a record key only `%` needs an escape. */
export const addressOf = ({ did, collection, rkey, query, everywhere = false }: Route): string => {
  const escaped = (text: string): string => text.replaceAll('%', '%25');
  const hash = [collection, rkey]
    .filter((part) => part !== undefined)
    .map(escaped)
    .join('/');
  const params = [
    ...(did === undefined ? [] : [`repo=${escaped(did)}`]),
    ...(query === undefined || query === '' ? [] : [`q=${encodeURIComponent(query)}`]),
    ...(everywhere ? ['all'] : []),
    ...hostParams(),
  ];
  return `${location.pathname}${params.length === 0 ? '' : `?${params.join('&')}`}${hash === '' ? '' : `#${hash}`}`;
};

const moved = new EventTarget();

/** Goes to a place, with a new history entry or instead of the present one. */
export const goTo = (route: Route, { replace = false }: { readonly replace?: boolean } = {}): void => {
  history[replace ? 'replaceState' : 'pushState'](undefined, '', addressOf(route));
  moved.dispatchEvent(new Event('move'));
};

/** Calls back when the place changes: by a link, by Back and Forward, or by `goTo`. */
export const onMove = (listener: () => void): void => {
  moved.addEventListener('move', listener);
  addEventListener('popstate', listener);
};

export const rememberRepo = (did: string): void => {
  localStorage.setItem(LAST_REPO, did);
};

export const lastRepo = (): string | undefined => localStorage.getItem(LAST_REPO) ?? undefined;
