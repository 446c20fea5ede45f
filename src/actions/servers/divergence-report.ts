import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { formatSize, writeFileDurably, type Json } from '../../kernel/index.ts'
import type { Divergence } from '../../postgres/index.ts'
import type { ActionContext } from '../contract.ts'

/** Of the transactions that are thrown away, the output names so many; the file has them all, up to a thousand. */
const inOutput = 20

/** Writes the whole report beside the run, and gives what of it belongs into the step's output, with its path. */
export async function saveDivergence(
  context: Pick<ActionContext, 'runDirectory' | 'step'>,
  divergence: Divergence,
): Promise<{ readonly summary: Json; readonly file: string }> {
  const file = join(context.runDirectory, `divergence-${context.step.replaceAll(/[^\w-]/g, '-')}.json`)
  await mkdir(context.runDirectory, { recursive: true, mode: 0o700 })
  await writeFileDurably(file, `${JSON.stringify(divergence, undefined, 2)}\n`)
  const { transactions, tables, ...rest } = divergence
  const first = transactions.slice(0, inOutput).map((one) => ({ ...one, tables: one.tables.slice(0, inOutput) }))
  const summary = JSON.parse(JSON.stringify({ ...rest, tables: tables.slice(0, inOutput), transactions: first })) as Json
  return { summary, file }
}

/** `3 transactions, the last at …, on timeline 1 behind 0/5000000 (12 KiB): shop public.orders +2 ~1 -0` */
export function describeDivergence(divergence: Divergence): string {
  const { commits, bytes, timeline, fromLsn, lastCommitAt, tables, catalogRows, complete } = divergence
  if (bytes === 0 && complete) return 'nothing'
  const count = `${commits} ${commits === 1 ? 'transaction' : 'transactions'}`
  const last = lastCommitAt === undefined ? '' : `, the last at ${lastCommitAt},`
  const named = tables.slice(0, 5).map((one) => `${one.database} ${one.table} +${one.inserted} ~${one.updated} -${one.deleted}`)
  const more = tables.length > 5 ? [`${tables.length - 5} more tables`] : []
  const definitions = catalogRows > 0 ? ['definitions'] : []
  const what = [...named, ...more, ...definitions].join('; ')
  const gap = complete ? '' : ', and perhaps more: WAL is missing'
  return `${count}${last} on timeline ${timeline} behind ${fromLsn} (${formatSize(bytes)})${what === '' ? '' : `: ${what}`}${gap}`
}
