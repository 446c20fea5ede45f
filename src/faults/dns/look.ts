import { askServer, normalValue, query, recordTypes, types, valueText, type Said } from '../../dns/index.ts'
import { parseDuration, type HostPort } from '../../kernel/index.ts'
import type { Effect } from './effect.ts'
import { identityQuestion } from './reply.ts'

const answerMs = 2000
/** Silence for so long is silence: what answers at all does so at once, on the same machine. */
const silenceMs = 200

/** Whether it is our resolver that answers there. */
export async function isOurs(server: HostPort, identity: string, signal: AbortSignal): Promise<boolean> {
  const result = await query(server, identityQuestion, answerMs, signal)
  if (result.kind !== 'answer') return false
  return result.answer.answers.some(({ type, data }) => type === types.TXT && valueText(type, data) === identity)
}

/** Asks for a name that is hit; in words what is not as it should be, undefined for nothing. */
export async function isEffective(
  server: HostPort,
  { names, effect }: { readonly names: readonly string[]; readonly effect: Effect },
  id: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const name = sampleName(names, id)
  const type = 'answer' in effect ? (recordTypes.find((known) => effect.answer[known] !== undefined) ?? 'A') : 'A'
  const silence = 'delay' in effect || ('fail' in effect && effect.fail === 'timeout')
  const waitMs = 'delay' in effect ? Math.min(silenceMs, parseDuration(effect.delay) * 0.9) : silenceMs
  const said = await askServer(server, name, type, silence ? waitMs : answerMs, signal)
  const isWrong = 'answer' in effect ? hasValues(said, effect.answer[type] ?? [], type) : hasFailed(said, effect)
  return isWrong ? undefined : `asked for ${name}, the resolver says: ${JSON.stringify(said)}`
}

function hasValues(said: Said, values: readonly string[], type: (typeof recordTypes)[number]): boolean {
  const wanted = values.map((value) => normalValue(type, value)).toSorted()
  return said.kind === 'values' && JSON.stringify(said.values) === JSON.stringify(wanted)
}

function hasFailed(said: Said, effect: Exclude<Effect, { answer: unknown }>): boolean {
  if ('delay' in effect || effect.fail === 'timeout') return said.kind === 'silent'
  return effect.fail === 'NXDOMAIN' ? said.kind === 'nothing' : said.kind === 'refused' && said.because === effect.fail
}

/** One that is hit, and that nobody else asks for where there is a choice. */
function sampleName(names: readonly string[], id: string): string {
  const [first = '*.invalid'] = names
  return first.startsWith('*.') ? `holdfast-${id}.${first.slice(2)}` : first
}
