import { z } from 'zod'

/** The parameters of each action, or fault, by its kind. */
export type KnownParams = Readonly<Record<string, z.ZodType>>

/** A map with a kind as its only key and its parameters as the value, and `extra` members beside it. Without `params`, of any kind. */
export function callSchema<Extra extends z.ZodRawShape>(
  noun: 'action' | 'fault',
  params: KnownParams | undefined,
  extra: Extra,
  description: string,
) {
  const extras = Object.keys(extra).length
  const kinds = (call: object) => Object.keys(call).filter((key) => !Object.hasOwn(extra, key))
  const shape =
    params === undefined
      ? z.object(extra).catchall(z.unknown())
      : z.strictObject({
          ...Object.fromEntries(Object.entries(params).map(([kind, schema]) => [kind, schema.optional()])),
          ...extra,
        })
  return (
    shape as z.ZodType<
      z.output<z.ZodObject<Extra>> & Record<string, unknown>,
      z.input<z.ZodObject<Extra>> & Record<string, unknown>
    >
  )
    .refine((call) => kinds(call).length === 1)
    .meta({
      minProperties: 1,
      ...(extras === 0 ? { maxProperties: 1 } : {}),
      expected: `exactly one ${noun}`,
      description,
    })
}
