import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { Allowance } from './allowance.ts';
import { LIMITS } from './limits.ts';

/** How many connections an address has, and how many requests on them are not answered to the last byte. */
interface Counts {
  open: number;
  requests: number;
}

/** What is known of a connection. Times are in milliseconds. */
interface Connection {
  readonly counts: Counts;
  /** What the requests may use that are not answered to the last byte. */
  readonly requests: Set<Allowance>;
  /** When its last request was answered, or when it began. */
  idleSince: number;
  /** While an answer waits for its reader: since when, how much was sent before, and so far, and when that last grew. */
  sending?: { readonly since: number; readonly before: number; sent: number; movedAt: number } | undefined;
}

/**
 * The connections of a server: ends those that read too slowly, and keeps room for health checks, and for other clients where
 * one opens many.
 */
export class Connections {
  private readonly all = new Map<Socket, Connection>();
  private readonly byAddress = new Map<string, Counts>();
  private requests = 0;

  constructor(server: Server) {
    server.on('connection', (socket) => this.open(socket));
    const check = setInterval(() => this.endSlow(), LIMITS.checkInterval).unref();
    server.on('close', () => clearInterval(check));
  }

  /**
   * Counts a request until `end`, or until its connection ends; then closes what it may use.
   *
   * @returns false if no one waits for its answer, because the connection has ended, or has too many requests and is ended
   */
  begin(socket: Socket, allowance: Allowance): boolean {
    const connection = this.all.get(socket);
    if (connection && connection.requests.size >= LIMITS.pipelined) socket.destroy();
    if (!connection || socket.destroyed) {
      allowance.close();
      return false;
    }
    this.requests++;
    connection.counts.requests++;
    connection.requests.add(allowance);
    return true;
  }

  /** Says that the answer to a request is sent to the last byte. */
  end(socket: Socket, allowance: Allowance): void {
    const connection = this.all.get(socket);
    // If the connection has ended, the request has ended with it.
    if (!connection?.requests.delete(allowance)) return;
    this.requests--;
    connection.counts.requests--;
    connection.idleSince = performance.now();
    allowance.close();
  }

  /** Whether there are so many requests, or so many from this address, that only health checks are answered. */
  isCrowded(socket: Socket): boolean {
    const { requests } = this.all.get(socket)?.counts ?? { requests: 0 };
    return (
      this.requests > LIMITS.connections - LIMITS.spareConnections || requests > LIMITS.connectionsPerAddress
    );
  }

  /** Waits until all requests are answered, but not longer than so many milliseconds. */
  async drained(milliseconds: number): Promise<void> {
    const end = performance.now() + milliseconds;
    while (this.requests > 0 && performance.now() < end) await setTimeout(LIMITS.drainInterval);
  }

  private open(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const counts = this.byAddress.get(address) ?? { open: 0, requests: 0 };
    if (!this.hasRoom(counts)) {
      socket.destroy();
      return;
    }
    this.byAddress.set(address, counts);
    const requests: Connection['requests'] = new Set();
    this.all.set(socket, { counts, requests, idleSince: performance.now() });
    counts.open++;
    socket.once('close', () => {
      // An answer that waits behind another on the connection would not say that it is closed.
      for (const allowance of requests) this.end(socket, allowance);
      this.all.delete(socket);
      counts.open--;
      if (counts.open === 0) this.byAddress.delete(address);
    });
  }

  /** Makes room for one more connection, of an address that has so many. */
  private hasRoom(counts: Counts): boolean {
    const { connections, connectionsPerAddress, spareConnections } = LIMITS;
    if (counts.open >= connectionsPerAddress + spareConnections)
      return this.endIdle((other) => other.counts === counts);
    return this.all.size < connections || this.endIdle(() => true);
  }

  /** Ends the connection that has waited longest without a request. @returns whether there is one */
  private endIdle(mayEnd: (connection: Connection) => boolean): boolean {
    let longest: Socket | undefined;
    let since = Number.POSITIVE_INFINITY;
    for (const [socket, connection] of this.all) {
      const isIdle = connection.requests.size === 0 && socket.writableLength === 0 && !socket.destroyed;
      if (!isIdle || connection.idleSince >= since || !mayEnd(connection)) continue;
      longest = socket;
      since = connection.idleSince;
    }
    longest?.destroy();
    return longest !== undefined;
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
