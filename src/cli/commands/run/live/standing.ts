import type { StepProgress } from '../../../../recovery/index.ts'
import type { Style } from '../../../output/line.ts'

/** What a run is drawn with. */
export interface Marks {
  readonly done: string
  readonly failed: string
  readonly running: string
  readonly retrying: string
  readonly asked: string
  readonly waiting: string
  readonly leftOut: string
  readonly undone: string
  readonly noReturn: string
  readonly line: string
  readonly prompt: string
  readonly full: string
  readonly empty: string
  readonly usual: string
}

export const boxMarks: Marks = {
  done: '✓',
  failed: '✗',
  running: '▶',
  retrying: '↻',
  asked: '?',
  waiting: '·',
  leftOut: '–',
  undone: '↩',
  noReturn: '◆',
  line: '═',
  prompt: '›',
  full: '█',
  empty: '░',
  usual: '┃',
}

export const asciiMarks: Marks = {
  done: '+',
  failed: 'x',
  running: '>',
  retrying: '@',
  asked: '?',
  waiting: '.',
  leftOut: '-',
  undone: '<',
  noReturn: '#',
  line: '=',
  prompt: '$',
  full: '#',
  empty: '.',
  usual: '|',
}

/** How a step's standing looks. */
export function standingOf({ standing }: StepProgress, marks: Marks): { readonly mark: string; readonly style?: Style } {
  switch (standing) {
    case 'done':
      return { mark: marks.done, style: 'green' }
    case 'running':
    case 'checking':
      return { mark: marks.running, style: 'cyan' }
    case 'retrying':
    case 'settling':
      return { mark: marks.retrying, style: 'yellow' }
    case 'asked':
    case 'unknown':
      return { mark: marks.asked, style: 'yellow' }
    case 'failed':
    case 'stopped':
    case 'undo-failed':
      return { mark: marks.failed, style: 'red' }
    case 'tolerated':
      return { mark: marks.failed, style: 'yellow' }
    case 'undoing':
    case 'undone':
      return { mark: marks.undone, style: 'yellow' }
    case 'left-out':
      return { mark: marks.leftOut, style: 'dim' }
    case 'waiting':
    default:
      return { mark: marks.waiting, style: 'dim' }
  }
}

const over: ReadonlySet<StepProgress['standing']> = new Set(['done', 'tolerated', 'left-out', 'undone'])

/** Nothing more is to be seen of it. */
export function isOver({ standing }: StepProgress): boolean {
  return over.has(standing)
}
