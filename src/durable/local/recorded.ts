import type { Json } from '../../kernel/index.ts'
import type { RunEventBody } from '../events.ts'
import type { FailureRecord } from '../failure.ts'

export interface RecordedStep {
  attempts: number
  failures: number
  previous: 'none' | 'failed' | 'interrupted'
  /** Wall-clock ms: when the next attempt is due, after a failed one. */
  retryAtMs?: number
  end?: { readonly value: Json } | { readonly error: FailureRecord }
}

export interface RecordedWait {
  started?: { readonly untilMs: number | undefined }
  end?: { readonly value: Json | undefined }
}

/** What a journal says has happened, event by event: what a handler that starts over gets instead of doing it again. */
export class Recorded {
  readonly steps = new Map<string, RecordedStep>()
  readonly waits = new Map<string, RecordedWait>()
  readonly sleeps = new Map<string, number>()
  readonly times = new Map<string, Date>()
  readonly notes = new Set<string>()
  readonly letters = new Set<string>()
  /** The first value of each signal, taken by the wait of its name. */
  readonly signals = new Map<string, Json>()
  cancelReason: string | undefined

  apply(event: RunEventBody): void {
    switch (event.type) {
      case 'step-started': {
        const step = this.step(event.step)
        step.attempts = event.attempt
        // Until an end is recorded, a crash would leave it like this.
        step.previous = 'interrupted'
        break
      }
      case 'step-committed':
        this.step(event.step).end = { value: event.value }
        break
      case 'step-failed': {
        const step = this.step(event.step)
        step.failures++
        const isUnsettled = event.error.code === 'timed-out' || event.error.code === 'outcome-unknown'
        step.previous = isUnsettled ? 'interrupted' : 'failed'
        if (event.retryInMs === undefined) step.end = { error: event.error }
        else step.retryAtMs = Date.parse(event.at) + event.retryInMs
        break
      }
      case 'wait-started':
        this.wait(event.name).started = { untilMs: event.untilMs }
        break
      case 'wait-ended':
        this.wait(event.name).end = { value: event.value }
        break
      case 'signal':
        this.letters.add(event.letter)
        if (!this.signals.has(event.name)) this.signals.set(event.name, event.value)
        break
      case 'cancel-requested':
        this.letters.add(event.letter)
        this.cancelReason ??= event.reason
        break
      case 'sleep-started':
        this.sleeps.set(event.id, event.untilMs)
        break
      case 'now':
        this.times.set(event.id, new Date(event.at))
        break
      case 'note':
        this.notes.add(event.id)
        break
      case 'submitted':
      case 'resumed':
      case 'lock-taken':
      case 'ended':
        break
    }
  }

  step(id: string): RecordedStep {
    let step = this.steps.get(id)
    if (step === undefined) this.steps.set(id, (step = { attempts: 0, failures: 0, previous: 'none' }))
    return step
  }

  wait(name: string): RecordedWait {
    let wait = this.waits.get(name)
    if (wait === undefined) this.waits.set(name, (wait = {}))
    return wait
  }
}
