/**
 * The way of a page to the leader: a port of its own worker, or a mailbox of the worker of another tab. The page ends
 * it when it goes out of sight, and makes another one when it is back.
 */
import type { RemoteRepo } from '../rpc/client.ts';
import type { Send } from '../rpc/peer.ts';
import type { Message, StorageKind } from '../rpc/protocol.ts';
import type { Channel, ChannelMessage, OpenChannel } from './channel.ts';
import { channelName, mailboxName } from './channel.ts';
import type { Connection } from './connection.ts';
import { Heartbeat, silenceError } from './heartbeat.ts';

export interface LinkParts {
  readonly name: string;
  readonly storage: StorageKind;
  readonly connection: Pick<Connection, 'member' | 'own'>;
  readonly openChannel: OpenChannel;
  /** The calls of the page. */
  readonly peer: RemoteRepo['peer'];
  /** From now on, `send` carries the messages of the page to a leader, which `isOwn` or in another tab. */
  onLeader(send: Send, isOwn: boolean): void;
}

export class LeaderLink {
  readonly #parts: LinkParts;
  /** What all tabs hear, and what only this page hears. */
  readonly #channel: Channel;
  readonly #mailbox: Channel;
  readonly #heartbeat: Heartbeat;
  /** The leader that serves the page, and the way to it. */
  #now: { readonly leader: string; readonly channel: Channel } | undefined;
  /** The own worker leads until the end: what is heard of others is late. */
  #isOwn = false;

  /** Looks for the leader. */
  constructor(parts: LinkParts) {
    const { connection, name, openChannel, peer, storage } = parts;
    this.#parts = parts;
    this.#channel = openChannel(channelName(storage, name));
    this.#mailbox = openChannel(mailboxName(connection.member));
    this.#heartbeat = new Heartbeat(
      () => peer.isWaiting,
      () => this.#channel.postMessage({ kind: 'ping' }),
      () => peer.giveUp(silenceError(name)),
    );
    [this.#channel, this.#mailbox, connection.own].forEach((channel) => {
      channel.onmessage = ({ data }) => this.#hear(data, channel);
    });
    // For calls that wait since the page was out of sight.
    this.#heartbeat.start();
    this.#join(this.#channel);
  }

  end(): void {
    this.#leave();
    [this.#channel, this.#mailbox].forEach((channel) => channel.close());
  }

  /** A message of the leader in the page's own worker, of the one in another tab, or for all tabs. */
  #hear(data: ChannelMessage, channel: Channel): void {
    const isOwn = channel === this.#parts.connection.own;
    if (data.kind === 'pong') {
      this.#heartbeat.heard();
    } else if (data.kind === 'here' && isOwn) {
      // The last term of the own worker is over. Calls wait for the welcome, because this port goes to both terms.
      this.#leave();
      this.#isOwn = true;
      this.#join(channel);
    } else if (isOwn !== this.#isOwn) {
      // Late.
    } else if (data.kind === 'here' && data.from !== this.#now?.leader) {
      this.#join(channel);
    } else if (data.kind === 'welcome') {
      this.#attach(data.from);
    } else if (data.kind === 'message' && data.from === this.#now?.leader) {
      this.#heartbeat.heard();
      this.#parts.peer.receive(data.message);
    }
  }

  #join(channel: Channel): void {
    channel.postMessage({ kind: 'join', from: this.#parts.connection.member });
  }

  #attach(leader: string): void {
    const { connection, onLeader, openChannel } = this.#parts;
    const isOwn = this.#isOwn;
    this.#leave();
    const channel = isOwn ? connection.own : openChannel(mailboxName(leader));
    const joined = { leader, channel };
    this.#now = joined;
    const send = (message: Message): void => {
      // A closed channel throws. Calls wait while the page is out of sight.
      if (this.#now === joined) {
        channel.postMessage({ kind: 'message', from: connection.member, message });
        if (!isOwn) {
          this.#heartbeat.start();
        }
      }
    };
    onLeader(send, isOwn);
  }

  #leave(): void {
    this.#heartbeat.stop();
    this.#now?.channel.close();
    this.#now = undefined;
  }
}
