// Parses the messages of PostgreSQL's logical replication (pgoutput, protocol version 1) and LSNs.

import { POSTGRES_EPOCH_MS } from "./convert-values.ts";

/**
 * Texts in the order of the relation's columns; undefined for an unchanged TOASTed value, which is
 * not sent.
 */
export type TupleData = (string | null | undefined)[];

export interface Relation {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly string[];
  /** The columns that identify old rows. */
  readonly keyColumns: readonly string[];
}

export type ReplicationMessage =
  /** `timeMs`: the commit's time as Unix time in milliseconds. */
  | { readonly kind: "begin"; readonly commitLsn: bigint; readonly timeMs: number }
  /** `nextLsn`: where the WAL continues after the commit. */
  | { readonly kind: "commit"; readonly nextLsn: bigint }
  /** Sent before the first row of a relation, and again when it changes. */
  | { readonly kind: "relation"; readonly relation: Relation }
  | { readonly kind: "insert"; readonly relation: number; readonly row: TupleData }
  /** `old` has at least the old key; null if the key did not change. */
  | {
      readonly kind: "update";
      readonly relation: number;
      readonly old: TupleData | null;
      readonly row: TupleData;
    }
  | { readonly kind: "delete"; readonly relation: number; readonly old: TupleData }
  | { readonly kind: "truncate"; readonly relations: readonly number[] }
  /** Origins, types and logical messages. */
  | { readonly kind: "other" };

/**
 * Parses one message (PostgreSQL docs, "Logical Replication Message Formats"). Text stays
 * unchanged, whereas pg-logical-replication's parser drops a leading U+FEFF and parses dates in
 * local time. Throws an Error for an unknown format.
 */
export function parseMessage(bytes: Buffer): ReplicationMessage {
  switch (String.fromCharCode(bytes[0]!)) {
    case "B":
      return {
        kind: "begin",
        commitLsn: bytes.readBigUInt64BE(1),
        timeMs: Number(bytes.readBigInt64BE(9) / 1000n) + POSTGRES_EPOCH_MS,
      };
    case "C":
      return { kind: "commit", nextLsn: bytes.readBigUInt64BE(10) };
    case "R":
      return { kind: "relation", relation: parseRelation(bytes) };
    case "I":
      return { kind: "insert", relation: bytes.readInt32BE(1), row: parseTuple(bytes, 6).row };
    case "U": {
      const relation = bytes.readInt32BE(1);
      if (bytes[5] === NEW_TUPLE)
        return { kind: "update", relation, old: null, row: parseTuple(bytes, 6).row };
      const { row: old, end } = parseTuple(bytes, 6);
      return { kind: "update", relation, old, row: parseTuple(bytes, end + 1).row };
    }
    case "D":
      return { kind: "delete", relation: bytes.readInt32BE(1), old: parseTuple(bytes, 6).row };
    case "T":
      return {
        kind: "truncate",
        relations: Array.from({ length: bytes.readInt32BE(1) }, (_, i) =>
          bytes.readInt32BE(6 + 4 * i),
        ),
      };
    case "O":
    case "Y":
    case "M":
      return { kind: "other" };
    default:
      throw new Error("unknown replication message");
  }
}

const NEW_TUPLE = "N".charCodeAt(0);
const [NULL, UNCHANGED, TEXT] = [..."nut"].map((letter) => letter.charCodeAt(0));

function parseRelation(bytes: Buffer): Relation {
  let at = 5;
  const readText = () => {
    const end = bytes.indexOf(0, at);
    const text = bytes.toString("utf8", at, end);
    at = end + 1;
    return text;
  };
  const schema = readText();
  const name = readText();
  // Skips the replica identity.
  at += 1;
  const count = bytes.readInt16BE(at);
  at += 2;
  const keys: string[] = [];
  const columns = Array.from({ length: count }, () => {
    const isKey = (bytes[at]! & 1) === 1;
    at += 1;
    const column = readText();
    if (isKey) keys.push(column);
    at += 8;
    return column;
  });
  return { id: bytes.readInt32BE(1), schema, name, columns, keyColumns: keys };
}

function parseTuple(bytes: Buffer, from: number): { row: TupleData; end: number } {
  const count = bytes.readInt16BE(from);
  const row = new Array<TupleData[number]>(count);
  let at = from + 2;
  for (let i = 0; i < count; i += 1) {
    const kind = bytes[at];
    at += 1;
    if (kind === TEXT) {
      const length = bytes.readInt32BE(at);
      row[i] = bytes.toString("utf8", at + 4, at + 4 + length);
      at += 4 + length;
    } else if (kind === NULL) row[i] = null;
    else if (kind === UNCHANGED) row[i] = undefined;
    else throw new Error("unknown format of a replicated value");
  }
  return { row, end: at };
}

/**
 * Parses an LSN (log sequence number), such as "16/B374D848". Throws an Error for any other text.
 */
export function parseLsn(text: string): bigint {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  if (!match) throw new Error("not an LSN");
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`);
}

/** Formats an LSN as PostgreSQL does. */
export function formatLsn(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffffffffn).toString(16).toUpperCase()}`;
}
