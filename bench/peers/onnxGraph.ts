/** A minimal writer of ONNX models (protobuf wire format by hand): only what the graphs of onnxruntime.ts need. */

const FLOAT = 1;
const INT64 = 7;
const OPSET = 17;

function varint(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const more = rest > 127n ? 128 : 0;
    bytes.push(Number(rest & 127n) | more);
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}

const number = (field: number, value: number): Buffer => Buffer.concat([varint(field << 3), varint(value)]);

function bytes(field: number, content: Buffer | string): Buffer {
  const data = typeof content === 'string' ? Buffer.from(content) : content;
  return Buffer.concat([varint((field << 3) | 2), varint(data.length), data]);
}

/** NodeProto; attributes are integers. */
export function node(op: string, inputs: string[], outputs: string[], attributes: Record<string, number> = {}): Buffer {
  const INT = 2;
  return Buffer.concat([
    ...inputs.map((name) => bytes(1, name)),
    ...outputs.map((name) => bytes(2, name)),
    bytes(4, op),
    ...Object.entries(attributes).map(([name, value]) =>
      bytes(5, Buffer.concat([bytes(1, name), number(3, value), number(20, INT)])),
    ),
  ]);
}

/** ValueInfoProto of a two-dimensional tensor; a dimension with a name is free. */
export function tensor(name: string, type: 'float32' | 'int64', dimensions: (string | number)[]): Buffer {
  const sizes = dimensions.map((d) => bytes(1, typeof d === 'string' ? bytes(2, d) : number(1, d)));
  const shape = bytes(2, Buffer.concat(sizes));
  const element = number(1, type === 'float32' ? FLOAT : INT64);
  return Buffer.concat([bytes(1, name), bytes(2, bytes(1, Buffer.concat([element, shape])))]);
}

/** TensorProto of one int64. */
export function constant(name: string, value: number): Buffer {
  const data = Buffer.alloc(8);
  data.writeBigInt64LE(BigInt(value));
  return Buffer.concat([number(1, 1), number(2, INT64), bytes(8, name), bytes(9, data)]);
}

/** ModelProto. */
export function model(nodes: Buffer[], inputs: Buffer[], outputs: Buffer[], constants: Buffer[] = []): Buffer {
  const graph = Buffer.concat([
    ...nodes.map((n) => bytes(1, n)),
    bytes(2, 'graph'),
    ...constants.map((c) => bytes(5, c)),
    ...inputs.map((i) => bytes(11, i)),
    ...outputs.map((o) => bytes(12, o)),
  ]);
  const IR_VERSION = 8;
  const opset = Buffer.concat([bytes(1, ''), number(2, OPSET)]);
  return Buffer.concat([number(1, IR_VERSION), bytes(8, opset), bytes(7, graph)]);
}
