// Reads the messages of PostgreSQL's logical replication (pgoutput, protocol version 1): transactions, and the rows they change.

/** Texts as the server writes them, in the order of the relation's columns; undefined where a long value did not change and was not sent. */
export type TupleData = (string | null | undefined)[];

export interface Relation {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly string[];
  /** Those that old rows are named by. */
  readonly keyColumns: readonly string[];
}

export type ReplicationMessage =
  /** `at`: where the transaction's commit stands in the log; `timeMs`: when it was, since 1970-01-01 UTC. */
  | { readonly kind: "begin"; readonly at: bigint; readonly timeMs: number }
  /** `end`: where the log goes on after it. */
  | { readonly kind: "commit"; readonly end: bigint }
  /** Sent before the first row of a relation, and again when it changes. */
  | { readonly kind: "relation"; readonly relation: Relation }
  | { readonly kind: "insert"; readonly relation: number; readonly row: TupleData }
  /** `old` holds at least the row's key as it was; null where that did not change. */
  | {
      readonly kind: "update";
      readonly relation: number;
      readonly old: TupleData | null;
      readonly row: TupleData;
    }
  | { readonly kind: "delete"; readonly relation: number; readonly old: TupleData }
  | { readonly kind: "truncate"; readonly relations: readonly number[] }
  /** Where it came from, types, messages: of no use here. */
  | { readonly kind: "other" };

/** 2000-01-01 UTC, where Postgres counts from. */
const POSTGRES_EPOCH_MS = 946_684_800_000;

/**
 * One message. PostgreSQL's documentation, Logical Replication Message Formats. The parser of the library that connects drops a text's leading U+FEFF
 * and makes Dates of the local zone, to the millisecond; here texts stay as they are. Throws for what is not in that form.
 */
export function parseMessage(bytes: Buffer): ReplicationMessage {
  switch (String.fromCharCode(bytes[0]!)) {
    case "B":
      return {
        kind: "begin",
        at: bytes.readBigUInt64BE(1),
        timeMs: Number(bytes.readBigInt64BE(9) / 1000n) + POSTGRES_EPOCH_MS,
      };
    case "C":
      return { kind: "commit", end: bytes.readBigUInt64BE(10) };
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
      throw new Error("a message of the stream that is not known");
  }
}

const NEW_TUPLE = "N".charCodeAt(0);
const [NULL, UNCHANGED, TEXT] = [..."nut"].map((letter) => letter.charCodeAt(0));

function parseRelation(bytes: Buffer): Relation {
  let at = 5;
  const text = () => {
    const end = bytes.indexOf(0, at);
    const found = bytes.toString("utf8", at, end);
    at = end + 1;
    return found;
  };
  const schema = text();
  const name = text();
  // Its replica identity.
  at += 1;
  const count = bytes.readInt16BE(at);
  at += 2;
  const keys: string[] = [];
  const columns = Array.from({ length: count }, () => {
    const isKey = (bytes[at]! & 1) === 1;
    at += 1;
    const column = text();
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
    else throw new Error("a value of the stream in a form that is not known");
  }
  return { row, end: at };
}

/** A place in the source's log from its text, "16/B374D848". */
export function parseLsn(text: string): bigint {
  const found = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  if (!found) throw new Error("no place in a log");
  return (BigInt(`0x${found[1]}`) << 32n) | BigInt(`0x${found[2]}`);
}

/** The text of a place in the log. */
export function formatLsn(at: bigint): string {
  return `${(at >> 32n).toString(16).toUpperCase()}/${(at & 0xffffffffn).toString(16).toUpperCase()}`;
}
