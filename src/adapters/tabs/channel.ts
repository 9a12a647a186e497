/**
 * Channels between pages and leaders: one that all tabs of a repository hear, a mailbox for each page and for each
 * leader, the port between a page and its own worker, and the lock that tells of the end of a page.
 */
import type { Message, StorageKind } from '../rpc/protocol.ts';
import { PROTOCOL_VERSION } from '../rpc/protocol.ts';

/**
 * A leader says `here` to all tabs when it begins. A page says `join` to all tabs when it begins, and after each
 * `here`. From the `welcome` of the leader on, which only that page hears, `message` carries calls and replies. What an
 * earlier leader has sent arrives before that. The worker that holds the leader's lock replies to a `ping`.
 */
export type ChannelMessage =
  | { readonly kind: 'ping' | 'pong' }
  | { readonly kind: 'here' | 'join' | 'welcome'; readonly from: string }
  | { readonly kind: 'message'; readonly from: string; readonly message: Message };

/** `BroadcastChannel`, as far as it is used. */
export interface Channel {
  onmessage: ((event: { readonly data: ChannelMessage }) => void) | null;
  postMessage(message: ChannelMessage): void;
  close(): void;
}

/** A channel over a port, which also carries other messages. Who receives them calls `onmessage`. */
export const portChannel = (postMessage: Channel['postMessage']): Channel => ({
  onmessage: null,
  postMessage,
  close() {
    // The port is closed by its connection.
  },
});

/** Opens the channel of this name among all tabs. */
export type OpenChannel = (name: string) => Channel;

/** `BroadcastChannel` is that in browsers. */
export const openBroadcastChannel: OpenChannel = (name) => new BroadcastChannel(name) as unknown as Channel;

/** The channel of a repository. */
export const channelName = (storage: StorageKind, name: string): string =>
  `pdsdb:${PROTOCOL_VERSION}:${storage}:${name}`;
/** The channel that only one page or leader hears. Its name is unique. */
export const mailboxName = (owner: string): string => `pdsdb:${PROTOCOL_VERSION}:${owner}`;
/** The lock that a worker holds while it works for a page, so that others notice its end. */
export const memberLock = (member: string): string => `pdsdb:member:${member}`;
