import { invalidValue } from '../../errors.js';
import { type DeviceTensor } from '../../native/tensor.js';
import { type DeviceCall } from './call.js';

const typeCodes = new Map<string, number>([
  ['float32', 0],
  ['bfloat16', 1],
  ['float16', 2],
]);

/** Checked logits on a device. */
export interface DeviceLogits {
  readonly tensor: DeviceTensor;
  readonly type: number;
  readonly rows: number;
  readonly vocab: number;
  readonly stride: number;
}

/** Checks a tensor `[rows, vocab]` of float32, bfloat16 or float16; rows may be further apart than `vocab`. */
export function checkDeviceLogits(field: string, tensor: DeviceTensor, rows: number): DeviceLogits {
  const type = typeCodes.get(tensor.dtype);
  if (type === undefined) throw invalidValue(field, 'of float32, bfloat16 or float16', tensor.dtype);
  const [height, width] = tensor.shape;
  if (tensor.shape.length !== 2 || height !== rows || width === undefined || width < 1) {
    throw invalidValue(field, `of shape [${rows}, vocab], one row per token`, tensor.shape);
  }
  return { tensor, type, rows, vocab: width, stride: tensor.strides[0] ?? width };
}

/** Enters logits as the native operations read them. */
export function addLogits(call: DeviceCall, logits: DeviceLogits): void {
  call.pointer(logits.tensor).number(logits.type, logits.rows, logits.vocab, logits.stride);
}
