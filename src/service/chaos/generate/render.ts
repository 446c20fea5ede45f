import { Document, isScalar, visit, type Scalar } from 'yaml'
import { formatDuration, type Json } from '../../../kernel/index.ts'
import { Unknown, type Draft } from './proposal.ts'
import type { RankedProposal } from './rank.ts'

const proofText: Readonly<Record<RankedProposal['proof'], string>> = {
  failed: 'the last run of something like it failed',
  never: 'nothing like it has been run',
  stale: 'something like it passed more than 90 days ago',
  passed: 'something like it has passed',
}

/** A place of an experiment for which a person has to find the value. */
export interface Gap {
  /** As `validate` calls it: `experiments.NAME.faults[0]…`. */
  readonly place: string
  readonly what: string
}

export function gapsOf({ name, experiment }: RankedProposal): Gap[] {
  return gapsIn(experiment, `experiments.${name}`)
}

function gapsIn(draft: Draft, place: string): Gap[] {
  if (draft instanceof Unknown) return [{ place, what: draft.what }]
  if (Array.isArray(draft)) return draft.flatMap((item: Draft, index) => gapsIn(item, `${place}[${index}]`))
  return typeof draft === 'object' ? Object.entries(draft).flatMap(([key, member]) => gapsIn(member, `${place}.${key}`)) : []
}

/** With null for what is not known. */
export function draftAsJson(draft: Draft): Json {
  if (draft instanceof Unknown) return null
  if (Array.isArray(draft)) return draft.map(draftAsJson)
  return typeof draft === 'object'
    ? Object.fromEntries(Object.entries(draft).map(([key, member]) => [key, draftAsJson(member)]))
    : draft
}

/** YAML for a catalog. What is not known has no value, which `holdfast validate` names, and a comment that says what belongs there. */
export function proposalsAsYaml(proposals: readonly RankedProposal[], currency: string): string {
  if (proposals.length === 0) return 'experiments: {}\n'
  const entries = proposals.map((proposal, index) => {
    const lines = documentOf(proposal).toString({ lineWidth: 130 }).trimEnd().split('\n')
    return [`  # ${index + 1}. ${whyText(proposal, currency)}`, ...lines.map((line) => (line === '' ? '' : `  ${line}`))].join(
      '\n',
    )
  })
  return `experiments:\n${entries.join('\n\n')}\n`
}

function documentOf({ name, experiment }: RankedProposal): Document {
  const document = new Document({ [name]: draftAsJson(experiment) })
  const whats = gapsIn(experiment, '').map(({ what }) => what)
  // In the same order: both walk the members as they were given.
  visit(document, {
    Scalar(key, node: Scalar) {
      if (key === 'key' || !isScalar(node) || node.value !== null) return
      node.source = ''
      node.comment = ` REPLACE: ${whats.shift() ?? ''}`
    },
  })
  return document
}

function whyText({ proof, costPerHour, tier, rtoMs, dependents, service }: RankedProposal, currency: string): string {
  const weight = [
    ...(costPerHour === undefined ? [] : [`${costPerHour} ${currency} an hour`]),
    ...(tier === undefined ? [] : [`tier ${tier}`]),
    `RTO ${formatDuration(rtoMs)}`,
    ...(dependents === 0 ? [] : [`${dependents} ${dependents === 1 ? 'service goes' : 'services go'} down with it`]),
  ]
  return `${proofText[proof]}; ${service}: ${weight.join(', ')}`
}
