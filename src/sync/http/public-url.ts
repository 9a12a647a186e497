/** Which URLs may be fetched. Names and documents of strangers contain URLs, so they must not reach a local network. */
import { RepoError } from '../../core/errors.ts';

/** Names that only a local network resolves. */
const LOCAL_NAME = /(^|\.)(localhost|localdomain|local|internal|intranet|lan|home\.arpa)$/;
/** A URL has every IPv4 address in this form: the parser rewrites `0x7f.1` and `2130706433`. */
const IPV4 = /^\d+\.\d+\.\d+\.\d+$/;
const MAX_SHOWN = 200;

const unsafe = (reason: string, url: URL | string): RepoError =>
  new RepoError('UnsafeHost', `${reason}; url=${String(url).slice(0, MAX_SHOWN)}`);

/** Returns a URL, which must be absolute. */
export const parseUrl = (text: URL | string, base?: URL): URL => {
  const url = URL.canParse(String(text), base) ? new URL(text, base) : undefined;
  if (url === undefined) {
    throw unsafe('not a URL: use the https address of a host', text);
  }
  return url;
};

/**
 * Accepts `https:` with the name of a public host. With `allowPrivate`, also `http:`, IP addresses and local names.
 * @throws {RepoError} `UnsafeHost` otherwise.
 */
export const assertPublicUrl = (url: URL, allowPrivate = false): void => {
  const isWeb = url.protocol === 'https:' || (allowPrivate && url.protocol === 'http:');
  if (!isWeb) {
    throw unsafe(`use an address with https${allowPrivate ? ' or http' : ''}: no other is fetched`, url);
  }
  if (url.username !== '' || url.password !== '') {
    throw unsafe('a URL with a user name or password is not fetched: remove it', `${url.protocol}//…@${url.host}`);
  }
  const name = url.hostname.replace(/\.$/, '');
  const isPrivate = IPV4.test(name) || name.startsWith('[') || LOCAL_NAME.test(name) || !name.includes('.');
  if (isPrivate && !allowPrivate) {
    throw unsafe('the host is an IP address or a name of a local network: allow it with allowPrivate', url);
  }
};
