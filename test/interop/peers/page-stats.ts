import type { BrowserContext, Page } from 'playwright-core';

/** What one kind of media of a page has come to, summed over its streams. */
export interface Counts {
  readonly packets: number;
  readonly lost: number;
  readonly nacks: number;
  readonly resent: number;
  /** Encoded here, or decoded here. */
  readonly frames: number;
  readonly freezes: number;
  readonly frozenS: number;
}

/** Video and audio of one side. */
export interface PageStats {
  readonly video: Counts;
  readonly audio: Counts;
}

/** How small the picture of a publisher is made. */
export interface Picture {
  readonly scaleDown: number;
  readonly fps: number;
}

/** Keeps the connections of pages that are opened later within reach, and makes what they publish small. */
export async function reachConnections(browser: BrowserContext, { scaleDown, fps }: Picture): Promise<void> {
  // Runs in the page: a text, since the compiler of the tests knows no DOM.
  await browser.addInitScript(`{
    const Whole = RTCPeerConnection;
    window.connections = [];
    window.RTCPeerConnection = class extends Whole {
      constructor(options) {
        super(options);
        window.connections.push(this);
      }
      addTransceiver(track, init) {
        if (track.kind !== 'video') return super.addTransceiver(track, init);
        const sendEncodings = [{ scaleResolutionDownBy: ${scaleDown}, maxFramerate: ${fps} }];
        return super.addTransceiver(track, { ...init, sendEncodings });
      }
    };
  }`);
}

/** What getStats of the page's last connection says now. */
export async function statsOf(page: Page): Promise<PageStats> {
  return page.evaluate<PageStats>(`(async () => {
    const all = [...(await window.connections.at(-1).getStats()).values()];
    const count = (kind) => {
      const of = (type) => all.filter((one) => one.type === type && one.kind === kind);
      const sum = (list, key) => list.reduce((total, one) => total + (one[key] || 0), 0);
      const own = [...of('inbound-rtp'), ...of('outbound-rtp')];
      return {
        packets: sum(own, 'packetsReceived') + sum(own, 'packetsSent'),
        lost: sum(of('inbound-rtp'), 'packetsLost') + sum(of('remote-inbound-rtp'), 'packetsLost'),
        nacks: sum(own, 'nackCount'),
        resent: sum(own, 'retransmittedPacketsSent'),
        frames: sum(own, 'framesDecoded') + sum(own, 'framesEncoded'),
        freezes: sum(own, 'freezeCount'),
        frozenS: sum(own, 'totalFreezesDuration'),
      };
    };
    return { video: count('video'), audio: count('audio') };
  })()`);
}
