import { z } from 'zod'

/** Toxiproxy's toxics, with its attributes and their units: milliseconds, KB/s, bytes; a slicer's delay in microseconds. */
const count = z.number().min(0)
const attributesOf = {
  latency: z.object({ latency: count.default(0), jitter: count.default(0) }),
  bandwidth: z.object({ rate: count.default(0) }),
  slow_close: z.object({ delay: count.default(0) }),
  timeout: z.object({ timeout: count.default(0) }),
  reset_peer: z.object({ timeout: count.default(0) }),
  slicer: z.object({ average_size: count.default(0), size_variation: count.default(0), delay: count.default(0) }),
  limit_data: z.object({ bytes: count.default(0) }),
} as const

export type ToxicType = keyof typeof attributesOf

export type Stream = 'upstream' | 'downstream'

type OfType<Type extends ToxicType> = { readonly type: Type; readonly attributes: z.infer<(typeof attributesOf)[Type]> }

export type Toxic = {
  readonly name: string
  readonly stream: Stream
  /** The share of connections that it is applied to, 0 to 1. */
  readonly toxicity: number
} & { [Type in ToxicType]: OfType<Type> }[ToxicType]

export function isToxicType(type: string): type is ToxicType {
  return Object.hasOwn(attributesOf, type)
}

/** Attributes with Toxiproxy's own default, 0, for those that are missing. Throws a ZodError. */
export function makeToxic(
  type: ToxicType,
  { name, stream, toxicity, attributes }: Omit<Toxic, 'type' | 'attributes'> & { readonly attributes: unknown },
): Toxic {
  return { name, stream, toxicity, type, attributes: attributesOf[type].parse(attributes) } as Toxic
}
