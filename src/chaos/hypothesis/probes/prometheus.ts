import { z } from 'zod'
import { HoldfastError } from '../../../kernel/index.ts'
import type { Seen } from '../tolerance.ts'
import { askHttp } from './http.ts'

const sample = z.tuple([z.number(), z.string()])
const answer = z.object({
  status: z.literal('success'),
  data: z.discriminatedUnion('resultType', [
    z.object({ resultType: z.literal('vector'), result: z.array(z.object({ value: sample })) }),
    z.object({ resultType: z.literal('scalar'), result: sample }),
  ]),
})

/**
 * An instant query (Prometheus' HTTP API, /api/v1/query). Its value is that of the only series: with none or several there is no value, for
 * it would be chance which one counts.
 */
export async function askPrometheus(url: string, query: string, signal: AbortSignal): Promise<Seen> {
  const target = new URL('api/v1/query', url.endsWith('/') ? url : `${url}/`)
  target.searchParams.set('query', query)
  const { status, body } = await askHttp({ method: 'GET', url: target.href, headers: { accept: 'application/json' } }, signal)
  const parsed = answer.safeParse(parseJson(body))
  if (!parsed.success) {
    throw new HoldfastError('command-failed', { message: `${target.origin} gave no result of a query (status ${status})` })
  }
  const { data } = parsed.data
  const values = data.resultType === 'scalar' ? [data.result[1]] : data.result.map(({ value }) => value[1])
  if (values.length !== 1) {
    throw new HoldfastError('command-failed', {
      message: `the query gave ${values.length} series, not one`,
      hint: 'aggregate it, for example with sum(…)',
    })
  }
  const number = Number(values[0])
  if (!Number.isFinite(number)) throw new HoldfastError('command-failed', { message: `the query gave ${values[0]}` })
  return { value: number, text: body }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
