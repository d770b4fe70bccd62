/** One packet or frame as ffmpeg's framecrc muxer writes it; times in seconds. */
export interface Packet {
  readonly stream: number;
  readonly dtsS: number;
  readonly ptsS: number;
  readonly bytes: number;
  readonly crc: string;
}

/** Reads the output of `ffmpeg -f framecrc`. An unfinished last line is left out. */
export function readPackets(text: string): readonly Packet[] {
  const timeBases = new Map<number, number>();
  for (const [, stream, numerator, denominator] of text.matchAll(/^#tb (\d+): (\d+)\/(\d+)$/gm)) {
    timeBases.set(Number(stream), Number(numerator) / Number(denominator));
  }
  const lines = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .matchAll(/^(\d+),\s*(-?\d+),\s*(-?\d+),\s*\d+,\s*(\d+),\s*(0x\w+)/gm);
  return [...lines].map(([, stream, dts, pts, bytes, crc]) => {
    const base = timeBases.get(Number(stream)) ?? 1;
    return {
      stream: Number(stream),
      dtsS: Number(dts) * base,
      ptsS: Number(pts) * base,
      bytes: Number(bytes),
      crc: crc ?? '',
    };
  });
}

/** Places at which decoding times of one stream go back or jump by more than `jumpS`. */
export function timeFaults(packets: readonly Packet[], stream: number, jumpS = 0.5): readonly string[] {
  const times = packets.filter((packet) => packet.stream === stream).map((packet) => packet.dtsS);
  return times.flatMap((timeS, index) => {
    const stepS = timeS - (times[index - 1] ?? timeS);
    return stepS < 0 || stepS > jumpS ? [`${stepS.toFixed(3)} s at packet ${index}`] : [];
  });
}

/** Whether `part` is a stretch of `whole` without a gap and without a changed byte. */
export function isStretchOf(part: readonly Packet[], whole: readonly Packet[]): boolean {
  const crcs = part.map((packet) => `${packet.bytes} ${packet.crc}`);
  const all = whole.map((packet) => `${packet.bytes} ${packet.crc}`);
  const first = crcs[0];
  if (first === undefined) return false;
  for (let at = all.indexOf(first); at !== -1; at = all.indexOf(first, at + 1)) {
    if (crcs.every((crc, index) => all[at + index] === crc)) return true;
  }
  return false;
}
