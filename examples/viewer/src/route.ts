/**
 * Where the reader is, as the address of the page says it: `?repo=did:plc:…#collection/rkey`. Without `?repo` the
 * repository is the one that was open last, so that `#collection/rkey` alone is a link, too.
 */

export interface Route {
  readonly did?: string | undefined;
  readonly collection?: string | undefined;
  readonly rkey?: string | undefined;
  /** What is looked for. */
  readonly query?: string | undefined;
  /** Whether it is looked for in all collections, beside whichever record is open. */
  readonly everywhere?: boolean | undefined;
}

const LAST_REPO = 'viewer.lastRepo';

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not an address that this page made; what it says names no record, and that is what will be shown.
    return text;
  }
};

/** Where the address points. */
export const readRoute = ({ search, hash }: Pick<Location, 'hash' | 'search'> = location): Route => {
  const [collection, ...rest] = hash.replace(/^#/, '').split('/').map(decoded);
  const rkey = rest.join('/');
  const place = { collection: collection === '' ? undefined : collection, rkey: rkey === '' ? undefined : rkey };
  const params = new URLSearchParams(search);
  const query = params.get('q') ?? undefined;
  const did = params.get('repo') ?? (place.collection === undefined ? undefined : lastRepo());
  return { did, ...place, query, everywhere: params.has('all') };
};

/** The address of a place. A DID and a record key need no escapes but `%`. */
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
  ];
  return `${location.pathname}${params.length === 0 ? '' : `?${params.join('&')}`}${hash === '' ? '' : `#${hash}`}`;
};

const moved = new EventTarget();

/** Goes to a place, as a step that Back takes back, or in place of where the reader is. */
export const goTo = (route: Route, { replace = false }: { readonly replace?: boolean } = {}): void => {
  history[replace ? 'replaceState' : 'pushState'](undefined, '', addressOf(route));
  moved.dispatchEvent(new Event('move'));
};

/** Calls back whenever the reader is somewhere else: by a link, by Back and Forward, or by `goTo`. */
export const onMove = (listener: () => void): void => {
  moved.addEventListener('move', listener);
  addEventListener('popstate', listener);
};

export const rememberRepo = (did: string): void => {
  localStorage.setItem(LAST_REPO, did);
};

export const lastRepo = (): string | undefined => localStorage.getItem(LAST_REPO) ?? undefined;
