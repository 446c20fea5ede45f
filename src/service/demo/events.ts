/** What happens in a demo, in order. Durations in ms. */
export type DemoEvent =
  | { readonly type: 'demo'; readonly event: 'started'; readonly phase: DemoPhase }
  | { readonly type: 'demo'; readonly event: 'progress'; readonly phase: DemoPhase; readonly text: string }
  | {
      readonly type: 'demo'
      readonly event: 'done'
      readonly phase: DemoPhase
      readonly durationMs: number
      /** What was done, with its figures. */
      readonly text: string
    }

export const demoPhases = ['prepare', 'protect', 'write', 'disaster', 'detect', 'recover', 'compare'] as const
export type DemoPhase = (typeof demoPhases)[number]

export type DemoProgress = (event: DemoEvent) => void
