import type { LabelSet } from '#model/alert.ts';
import { sortLabels } from './labels.ts';

/** FNV-1a, 64 bits, as two halves: Prometheus' model.LabelSet.Fingerprint. */
interface Hash {
  high: number;
  low: number;
}

/** 2^40 + 435 is the prime: the shift by 40 bits moves the low half's lower bits into the high half. */
const PRIME_LOW = 435;
const SEPARATOR = 255;

/** An alert's identity: 16 hex digits over its labels in the order of their names. */
export function fingerprintLabels(labels: LabelSet): string {
  const hash: Hash = { high: 0xcbf29ce4, low: 0x84222325 };
  for (const [name, value] of sortLabels(labels)) {
    addText(hash, name);
    addByte(hash, SEPARATOR);
    addText(hash, value);
    addByte(hash, SEPARATOR);
  }
  return hex(hash.high) + hex(hash.low);
}

function hex(half: number): string {
  return (half >>> 0).toString(16).padStart(8, '0');
}

function addByte(hash: Hash, byte: number): void {
  const low = (hash.low ^ byte) >>> 0;
  const product = low * PRIME_LOW;
  hash.high = (Math.imul(hash.high, PRIME_LOW) + Math.floor(product / 0x1_0000_0000) + (low << 8)) >>> 0;
  hash.low = product >>> 0;
}

function addText(hash: Hash, text: string): void {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) addByte(hash, code);
    else {
      for (const byte of encoder.encode(text.slice(i))) addByte(hash, byte);
      return;
    }
  }
}

const encoder = new TextEncoder();
