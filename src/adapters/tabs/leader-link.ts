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

/** A leader, and the way to it. */
interface Joined {
  readonly leader: string;
  readonly channel: Channel;
}

export class LeaderLink {
  readonly #parts: LinkParts;
  readonly #member: string;
  /** What all tabs hear, and what only this page hears. */
  readonly #channel: Channel;
  readonly #mailbox: Channel;
  readonly #heartbeat: Heartbeat;
  /** The page asks to join it. */
  #next: Joined | undefined;
  /** It serves the page. */
  #now: Joined | undefined;

  /** Looks for the leader. */
  constructor(parts: LinkParts) {
    const { connection, name, openChannel, peer, storage } = parts;
    this.#parts = parts;
    this.#member = connection.member;
    this.#channel = openChannel(channelName(storage, name));
    this.#mailbox = openChannel(mailboxName(this.#member));
    this.#heartbeat = new Heartbeat(
      () => peer.isWaiting,
      () => this.#channel.postMessage({ kind: 'ping' }),
      () => peer.giveUp(silenceError(name)),
    );
    [this.#channel, this.#mailbox, connection.own].forEach((channel) => {
      channel.onmessage = ({ data }) => this.#hear(data);
    });
    // For calls that wait since the page was out of sight.
    this.#heartbeat.start();
    this.#channel.postMessage({ kind: 'hello' });
  }

  /** Tells the leader, which forgets the page. */
  end(): void {
    this.#now?.channel.postMessage({ kind: 'away', from: this.#member });
    this.#leave();
    [this.#next?.channel, this.#channel, this.#mailbox].forEach((channel) => channel?.close());
  }

  /** A message of the leader in the page's own worker, of the one in another tab, or for all tabs. */
  #hear(data: ChannelMessage): void {
    if (data.kind === 'pong') {
      this.#heartbeat.heard();
    } else if (data.kind === 'here') {
      this.#join(data.from);
    } else if (data.kind === 'welcome' && data.from === this.#next?.leader) {
      this.#attach(this.#next);
    } else if (data.kind === 'message' && data.from === this.#now?.leader) {
      this.#heartbeat.heard();
      this.#parts.peer.receive(data.message);
    }
  }

  #join(leader: string): void {
    const { connection, openChannel } = this.#parts;
    const isOwn = leader.startsWith(this.#member);
    const isKnown = leader === this.#now?.leader || leader === this.#next?.leader;
    // What is heard of others while the own worker leads is late.
    if (!isKnown && (isOwn || (this.#next ?? this.#now)?.channel !== connection.own)) {
      this.#next?.channel.close();
      this.#next = { leader, channel: isOwn ? connection.own : openChannel(mailboxName(leader)) };
      this.#next.channel.postMessage({ kind: 'join', from: this.#member });
    }
  }

  #attach(joined: Joined): void {
    const isOwn = joined.channel === this.#parts.connection.own;
    this.#leave();
    this.#next = undefined;
    this.#now = joined;
    const send = (message: Message): void => {
      // A closed channel throws. The calls of a page wait while it is out of sight, or joins a new term of its worker.
      if (this.#now === joined && !(isOwn && this.#next !== undefined)) {
        joined.channel.postMessage({ kind: 'message', from: this.#member, message });
        if (!isOwn) {
          this.#heartbeat.start();
        }
      }
    };
    this.#parts.onLeader(send, isOwn);
  }

  #leave(): void {
    this.#heartbeat.stop();
    this.#now?.channel.close();
    this.#now = undefined;
  }
}
