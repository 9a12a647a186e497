/** A proxy on loopback that breaks connections between a client and a server, as its plans say. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** What happens to one connection. Offsets count the bytes of the connection, over all of its requests. */
export type Plan =
  | { readonly kind: 'none' }
  /** The client's bytes are forwarded up to an offset. Then both ends are reset. */
  | { readonly kind: 'cut request'; readonly after: number }
  /** The server's bytes are forwarded up to an offset. Then both ends are reset. */
  | { readonly kind: 'cut response'; readonly after: number }
  /** The same, but the client sees a regular end of the connection. */
  | { readonly kind: 'truncate response'; readonly after: number }
  /** The server gets the request, and its response is lost. */
  | { readonly kind: 'stall response'; readonly after: number }
  /** The server does not get the request. The client gets this status. */
  | { readonly kind: 'respond'; readonly status: number; readonly code: string }
  | { readonly kind: 'delay'; readonly ms: number };

export interface FaultProxy {
  readonly port: number;
  /** Number of plans that had an effect, by kind. */
  readonly hits: ReadonlyMap<string, number>;
  /** Ends all connections. The next connections have these plans, and later ones none. */
  begin(plans: readonly Plan[]): void;
  close(): Promise<void>;
}

const responseOf = (status: number, code: string): string => {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code></Error>`;
  return `HTTP/1.1 ${status} X\r\ncontent-type: application/xml\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;
};

export const startFaultProxy = async (serverPort: number): Promise<FaultProxy> => {
  const hits = new Map<string, number>();
  const sockets = new Set<Socket>();
  let plans: Plan[] = [];

  const handle = (client: Socket): void => {
    const plan = plans.shift() ?? { kind: 'none' };
    const upstream = connect(serverPort, '127.0.0.1');
    let isHit = false;
    const hit = (): void => {
      if (!isHit) {
        isHit = true;
        hits.set(plan.kind, (hits.get(plan.kind) ?? 0) + 1);
      }
    };
    const reset = (): void => {
      hit();
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    let sent = 0;
    let received = 0;
    client.on('data', (chunk: Buffer) => {
      if (plan.kind === 'respond') {
        hit();
        // A client may still be sending the body.
        client.write(responseOf(plan.status, plan.code), () => setTimeout(() => client.destroy(), 20));
        return;
      }
      if (plan.kind === 'cut request' && sent + chunk.length > plan.after) {
        upstream.write(chunk.subarray(0, plan.after - sent), () => setTimeout(reset, 5));
        client.pause();
        return;
      }
      sent += chunk.length;
      if (plan.kind === 'delay') {
        hit();
        setTimeout(() => upstream.write(chunk), plan.ms);
      } else {
        upstream.write(chunk);
      }
    });
    upstream.on('data', (chunk: Buffer) => {
      const cuts = plan.kind === 'cut response' || plan.kind === 'truncate response' || plan.kind === 'stall response';
      if (!cuts || received + chunk.length <= plan.after) {
        received += chunk.length;
        client.write(chunk);
        return;
      }
      upstream.pause();
      const part = chunk.subarray(0, plan.after - received);
      received += part.length;
      if (plan.kind === 'stall response') {
        hit();
        client.write(part);
      } else if (plan.kind === 'truncate response') {
        hit();
        client.end(part);
      } else {
        client.write(part, () => setTimeout(reset, 1));
      }
    });
  };

  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const drop = (): void => {
    for (const socket of sockets) {
      socket.destroy();
    }
  };
  return {
    port: (server.address() as AddressInfo).port,
    hits,
    begin(next) {
      drop();
      plans = [...next];
    },
    async close() {
      drop();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
