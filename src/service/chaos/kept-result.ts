import { withoutTextsIn } from '../../catalog/index.ts'
import type { CtkResult } from '../../chaos/index.ts'
import type { Json } from '../../kernel/index.ts'

type Clean = (value: Json) => Json

/**
 * The result of an experiment as it may be kept: without its secrets, which a reason or what was seen may quote. They are looked for where people, programs and
 * servers have written, and not in what the format fixes: names of members, states, types and times. A secret may be the word `run` or `pass`.
 */
export function keptResult(result: CtkResult, secrets: readonly string[]): CtkResult {
  const free: Clean = (value) => withoutTextsIn(value, secrets)
  const fixed: Clean = (value) => value
  /** A map with these members, of which others are free in name and value. */
  const map =
    (known: Readonly<Record<string, Clean>>): Clean =>
    (value) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return free(value)
      const members = Object.entries(value as Record<string, Json>)
      return Object.fromEntries(
        members.flatMap(([name, member]) => {
          const clean = Object.hasOwn(known, name) ? known[name] : undefined
          return clean === undefined ? Object.entries(free({ [name]: member }) as Record<string, Json>) : [[name, clean(member)]]
        }),
      )
    }
  const list =
    (each: Clean): Clean =>
    (value) =>
      Array.isArray(value) ? (value as Json[]).map(each) : free(value)
  const all = (clean: Clean, ...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, clean]))

  const provider = map({
    type: fixed,
    ...all(
      free,
      'path',
      'url',
      'module',
      'func',
      'arguments',
      'timeout',
      'method',
      'headers',
      'verify_tls',
      'max_retries',
      'secrets',
    ),
  })
  const activity = map({
    type: fixed,
    provider,
    ...all(free, 'name', 'ref', 'tolerance', 'background', 'pauses', 'controls', 'dry', 'iteration_index'),
  })
  const span = all(fixed, 'start', 'end', 'duration', 'status')
  const run = map({ ...span, activity, tolerance_met: fixed, ...all(free, 'output', 'exception') })
  const state = map({ steady_state_met: fixed, probes: list(run) })
  const experiment = map({
    'steady-state-hypothesis': map({ title: free, probes: list(activity) }),
    ...all(list(activity), 'method', 'rollbacks'),
    ...all(free, 'title', 'description', 'configuration', 'secrets', 'controls', 'runtime', 'dry'),
  })
  const journal = map({
    ...span,
    ...all(fixed, 'chaoslib-version', 'platform', 'node', 'deviated'),
    experiment,
    steady_states: map({ before: state, after: state, during: list(state) }),
    ...all(list(run), 'run', 'rollbacks'),
  })
  const cleaned = map({ journal, because: list(free), ...all(fixed, 'verdict', 'passedOver') })
  return cleaned(JSON.parse(JSON.stringify(result)) as Json) as unknown as CtkResult
}
