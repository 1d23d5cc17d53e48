import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { LIMITS } from './limits.ts';

/** What is known of a connection. Times are in milliseconds. */
interface Connection {
  readonly address: string;
  /** Requests that are not answered to the last byte. */
  requests: number;
  /** While an answer waits for its reader: since when, how much was sent before, and so far, and when that last grew. */
  sending?: { readonly since: number; readonly before: number; sent: number; movedAt: number } | undefined;
}

/**
 * The connections of a server: ends those that read too slowly, and keeps room for health checks, and for other clients where
 * one opens many.
 */
export class Connections {
  private readonly all = new Map<Socket, Connection>();
  private readonly byAddress = new Map<string, number>();
  /** Number of requests that are not answered to the last byte. */
  private requests = 0;

  constructor(server: Server) {
    server.maxConnections = LIMITS.connections;
    server.on('connection', (socket) => this.open(socket));
    const check = setInterval(() => this.endSlow(), LIMITS.checkInterval).unref();
    server.on('close', () => clearInterval(check));
  }

  /** Whether only health checks may use a connection, because there are too many. */
  isCrowded(socket: Socket): boolean {
    const address = this.all.get(socket)?.address ?? '';
    return this.isFull() || this.isFullFor(address);
  }

  /** Counts a request until its answer is sent to the last byte, or its client is gone. */
  begin(socket: Socket, response: ServerResponse): void {
    const connection = this.all.get(socket);
    this.requests++;
    if (connection) connection.requests++;
    response.once('close', () => {
      this.requests--;
      if (connection) connection.requests--;
    });
  }

  /** Waits until all requests are answered, but not longer than so many milliseconds. */
  async drained(milliseconds: number): Promise<void> {
    const end = performance.now() + milliseconds;
    while (this.requests > 0 && performance.now() < end) await setTimeout(LIMITS.drainInterval);
  }

  private open(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    this.all.set(socket, { address, requests: 0 });
    this.byAddress.set(address, (this.byAddress.get(address) ?? 0) + 1);
    socket.once('close', () => {
      this.all.delete(socket);
      const left = (this.byAddress.get(address) ?? 1) - 1;
      if (left > 0) this.byAddress.set(address, left);
      else this.byAddress.delete(address);
    });
    if (this.isFullFor(address)) this.endIdle((other) => other.address === address);
    else if (this.isFull()) this.endIdle(() => true);
  }

  private isFull(): boolean {
    return this.all.size > LIMITS.connections - LIMITS.spareConnections;
  }

  private isFullFor(address: string): boolean {
    return (this.byAddress.get(address) ?? 0) > LIMITS.connectionsPerAddress;
  }

  /** Ends the connection that has been open longest of those that are not used. */
  private endIdle(mayEnd: (connection: Connection) => boolean): void {
    for (const [socket, connection] of this.all) {
      if (connection.requests > 0 || socket.writableLength > 0 || !mayEnd(connection)) continue;
      socket.destroy();
      return;
    }
  }

  private endSlow(): void {
    const now = performance.now();
    for (const [socket, connection] of this.all) {
      const sent = socket.bytesWritten - socket.writableLength;
      if (socket.writableLength === 0) connection.sending = undefined;
      else if (!connection.sending) connection.sending = { since: now, before: sent, sent, movedAt: now };
      else if (isSlow(connection.sending, sent, now)) socket.destroy();
    }
  }
}

/** Whether a client has read nothing for too long, or less than the least rate. */
function isSlow(sending: NonNullable<Connection['sending']>, sent: number, now: number): boolean {
  if (sent > sending.sent) {
    sending.sent = sent;
    sending.movedAt = now;
  }
  const late = now - sending.since - LIMITS.sendTimeout;
  return (
    now - sending.movedAt > LIMITS.sendTimeout ||
    sending.sent - sending.before < (late / 1000) * LIMITS.leastRate
  );
}
