/**
 * The servers that are asked for accounts. The address of the page can name others than the public ones, as
 * `?pds=…&plc=…`. They are not stored, so a link to this page does not change what another visit asks.
 */
import type { IdentityOptions } from 'pdsdb/sync';

export interface Hosts {
  /** The host, in place of the one in DID documents. It also resolves handles. */
  readonly pds: string;
  /** The PLC directory. */
  readonly plc: string;
}

/** Names and addresses of a local network. */
const LOCAL = /^(\[.*\]|[\d.]+|[^.]+|.*\.(localhost|local|internal|lan|home\.arpa))$/;

const isPrivate = (text: string): boolean => {
  if (!URL.canParse(text)) {
    return false;
  }
  const { protocol, hostname } = new URL(text);
  return protocol === 'http:' || LOCAL.test(hostname);
};

/** Returns the servers in the address of the page. A missing one is ''. */
export const chosenHosts = (): Hosts => {
  const params = new URLSearchParams(location.search);
  return { pds: params.get('pds') ?? '', plc: params.get('plc') ?? '' };
};

/** Returns the parameters of the address that name servers. */
export const hostParams = ({ pds, plc }: Hosts = chosenHosts()): readonly string[] => [
  ...(pds === '' ? [] : [`pds=${encodeURIComponent(pds)}`]),
  ...(plc === '' ? [] : [`plc=${encodeURIComponent(plc)}`]),
];

/** Writes the servers into the address of the page. */
export const chooseHosts = (hosts: Hosts): void => {
  const others = location.search
    .slice(1)
    .split('&')
    .filter((param) => param !== '' && !/^(pds|plc)=/.test(param));
  const params = [...others, ...hostParams(hosts)];
  const search = params.length === 0 ? '' : `?${params.join('&')}`;
  history.replaceState(undefined, '', location.pathname + search + location.hash);
};

/** Whether a text is '' or the address of a server. */
export const isHostAddress = (text: string): boolean =>
  text === '' || (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol));

/** The options of the network. Loopback and local names are asked only if the address of the page names one. */
export const networkOptions = (): IdentityOptions => {
  const { pds, plc } = chosenHosts();
  return {
    allowPrivate: isPrivate(pds) || isPrivate(plc),
    ...(pds === '' ? {} : { pdsUrl: pds }),
    ...(plc === '' ? {} : { plcUrl: plc }),
  };
};
