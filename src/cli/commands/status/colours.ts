import pc from 'picocolors'
import type { Verdict } from '../../../objectives/index.ts'

const colours: Record<Verdict, (text: string) => string> = {
  met: pc.green,
  'at-risk': pc.yellow,
  missed: pc.red,
  unknown: pc.magenta,
}

export function coloured(verdict: Verdict): string {
  return colours[verdict](verdict)
}
