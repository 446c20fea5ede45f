import pc from 'picocolors'
import { forOneLine } from '../../output/for-terminal.ts'
import { checklistAreas, type CheckedItem, type Checklist } from '../../../service/index.ts'

type Answer = CheckedItem['answers'][number]

const marks: Record<CheckedItem['state'], string> = {
  yes: pc.green('✓'),
  no: pc.red('✗'),
  unknown: pc.yellow('?'),
  'not-needed': pc.dim('–'),
}

/** So many answers are shown of an item; a catalog of a thousand services would say the same a thousand times. */
const mostShown = 5

export function checklistText({ items, catalog }: Checklist, isAll: boolean): string {
  const counts = (['yes', 'no', 'unknown', 'not-needed'] as const).flatMap((state) => {
    const count = items.filter((item) => item.state === state).length
    return count === 0 ? [] : [`${count} ${state === 'not-needed' ? 'not needed' : state}`]
  })
  return [
    ...checklistAreas.flatMap((area) => [
      pc.bold(`${area[0]?.toUpperCase()}${area.slice(1)}`),
      ...items.filter((item) => item.area === area).flatMap((item) => itemLines(item, isAll)),
      '',
    ]),
    `${catalog.name}: ${counts.join(', ')}`,
  ].join('\n')
}

function itemLines({ code, says, state, attested, answers }: CheckedItem, isAll: boolean): string[] {
  const shown = isAll ? answers : answers.filter((answer) => answer.state === 'no' || answer.state === 'unknown')
  const left = isAll ? 0 : Math.max(0, shown.length - mostShown)
  return [
    `${marks[state]} ${says} ${pc.dim(`[${code}${attested ? ', attested' : ''}]`)}`,
    ...shown.slice(0, shown.length - left).flatMap((answer) => answerLines(answer, isAll)),
    ...(left > 0 ? [`    and ${left} more: \`holdfast checklist --all\``] : []),
  ]
}

function answerLines({ of, state, because, evidence, next }: Answer, isAll: boolean): string[] {
  const places = evidence.map((place) => ('catalog' in place ? place.catalog : `${place.repository} #${place.seq}`))
  const where = isAll && places.length > 0 ? pc.dim(` (${places.join(', ')})`) : ''
  return [
    `    ${isAll ? `${marks[state]} ` : ''}${of}: ${forOneLine(because)}${where}`,
    ...(next === undefined ? [] : [`      ${pc.cyan('→')} ${next}`]),
  ]
}
