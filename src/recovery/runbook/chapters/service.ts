import type { Group, Service, Site } from '../../../catalog/index.ts'
import { formatDuration } from '../../../kernel/index.ts'
import { code, commands, heading, list, strong, text, type Block, type Fact, type Inline } from '../document.ts'
import { onCall, owner, whomToAsk } from './people.ts'
import type { Copy, Dependency, Runbook } from '../model.ts'

/** What it is, who answers for it, what it needs. */
export function serviceChapter({
  service,
  site,
  tier,
  plan,
  dependencies,
  external,
  dependents,
  data,
  groups,
}: Runbook): Block[] {
  const { objectives, downtimeCostPerHour } = service
  const facts: Fact[] = [
    ['Service', [code(service.name), ...(service.description === undefined ? [] : [`: ${service.description}`])]],
    ['Owner', [owner(service)]],
    ['On call', [onCall(service)]],
    [
      'Tier',
      [
        service.tier === undefined
          ? 'not declared'
          : `${service.tier}${tier?.description === undefined ? '' : `: ${tier.description}`}`,
      ],
    ],
    ['Site', siteText(site)],
    ['RPO', [strong(formatDuration(objectives.rpoMs)), `: the most data, in time, that may be lost${byTier(service, 'rpo')}`]],
    ['RTO', [strong(formatDuration(objectives.rtoMs)), `: the longest that it may be down${byTier(service, 'rto')}`]],
    ...(downtimeCostPerHour === undefined ? [] : [['Cost', [`${downtimeCostPerHour} per hour that it is down`]] satisfies Fact]),
    ['Data', data.length === 0 ? ['none is declared'] : [data.map(({ service: of, what }) => `${of}: ${what}`).join('; ')]],
    [
      'Plan',
      [
        code(plan.name),
        ...(plan.description === undefined ? [] : [`: ${plan.description}`]),
        `; recovers ${plan.recovers.join(', ')}`,
      ],
    ],
    ...groups.map((group): Fact => ['Group', groupText(group)]),
    ['Needed by', [dependents.length === 0 ? 'no other service of the catalog' : dependents.map(({ name }) => name).join(', ')]],
  ]
  return [heading(2, 'The service'), { type: 'facts', facts }, heading(3, 'What it needs'), needs(dependencies, external)]
}

function byTier({ declaredBy, tier }: Service, objective: 'rpo' | 'rto'): string {
  return declaredBy[objective] === 'tier' ? ` (that of tier ${tier})` : ''
}

function groupText({ name, members, rpoMs, spreadMs, description }: Group): Inline[] {
  return [
    code(name),
    `${description === undefined ? '' : ` (${description})`}: ${members.join(', ')} must come back to one point, and lose no more than ${formatDuration(rpoMs)}`,
    spreadMs === undefined ? '' : `; their states may be ${formatDuration(spreadMs)} apart`,
    '. Recover each with the same ',
    code('--to'),
    '.',
  ]
}

function needs(dependencies: readonly Dependency[], external: Runbook['external']): Block {
  if (dependencies.length === 0 && external.length === 0) return text('No other service of the catalog.')
  return list('check', [
    ...dependencies.map(({ service, plan }): Inline[] => [
      code(service.name),
      ` is up (owner ${owner(service)}, on call ${onCall(service)}). If it is not: `,
      ...planOf(service, plan),
    ]),
    ...external.map((other): Inline[] => [
      code(other.name),
      `, which others run, is up${other.assumed.rtoMs === undefined ? '' : ` (assumed to be down for ${formatDuration(other.assumed.rtoMs)} at most)`}. If it is not: `,
      whomToAsk(other) === undefined ? strong('the catalog does not say whom to ask') : `ask ${whomToAsk(other)}`,
      '.',
    ]),
  ])
}

function planOf({ name }: Service, plan: Dependency['plan']): Inline[] {
  if (plan.kind === 'here') return ['this plan brings it back too.']
  if (plan.kind === 'none') return [strong('it has no recovery plan'), ': its owner must bring it back.']
  return [
    'first ',
    code(`holdfast recover ${name}`),
    ' (plan ',
    code(plan.name),
    '; its runbook: ',
    code(`holdfast runbook ${name}`),
    ').',
  ]
}

function siteText({ name, provider, region, description }: Site): Inline[] {
  const more = [provider, region, description].filter((part) => part !== undefined)
  return [code(name), more.length === 0 ? '' : ` (${more.join(', ')})`]
}

/** Where the backups are, and how to open them with nothing but restic. */
export function backupsChapter({ copies, service }: Runbook): Block[] {
  const blocks: Block[] = [heading(2, 'Where the backups are')]
  if (copies.length === 0) {
    return [
      ...blocks,
      { type: 'alarm', title: 'No backup', text: [`The catalog names no repository that ${service.name} is backed up to.`] },
    ]
  }
  blocks.push(
    text(
      'They are plain restic repositories. With these lines, in the folder of the catalog, ',
      code('restic'),
      ' opens them without Holdfast.',
    ),
  )
  for (const copy of copies) blocks.push(...copyBlocks(copy))
  if (copies.every(({ sameSite }) => sameSite)) {
    blocks.push({
      type: 'alarm',
      title: 'Every backup is on the site of the service',
      text: ['What destroys the site destroys the backups too.'],
    })
  }
  return blocks
}

function copyBlocks({ repository, site, sameSite, password, open }: Copy): Block[] {
  const facts: Fact[] = [
    ['Place', [code(repository.url), ...(repository.description === undefined ? [] : [`: ${repository.description}`])]],
    ['Site', [...siteText(site), ...(sameSite ? [', ', strong('the same as the service: lost with it')] : [])]],
    ['Media', [repository.media]],
    ...(repository.immutableForMs === undefined
      ? []
      : [['Immutable', [`for ${formatDuration(repository.immutableForMs)}`]] satisfies Fact]),
    ['Password', [password]],
  ]
  return [heading(3, `Repository ${repository.name}`), { type: 'facts', facts }, commands(open)]
}
