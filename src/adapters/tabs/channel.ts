/**
 * Channels between pages and leaders: one that all tabs of a repository hear, a mailbox for each page and for each
 * leader, and the port between a page and its own worker.
 */
import type { Message, StorageKind } from '../rpc/protocol.ts';
import { PROTOCOL_VERSION } from '../rpc/protocol.ts';

/**
 * All tabs hear `hello`, with which a page looks for the leader, and `here`, which a leader says when it begins and
 * after each `hello`. The worker that holds the leader's lock replies to a `ping`.
 *
 * A page then sends `join` to the mailbox of the leader. From its `welcome` on, `message` carries calls and replies.
 * What an earlier leader has sent arrives before that. A page that closes, or may be frozen, sends `away`.
 */
export type ChannelMessage =
  | { readonly kind: 'hello' | 'ping' | 'pong' }
  | { readonly kind: 'away' | 'here' | 'join' | 'welcome'; readonly from: string }
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
