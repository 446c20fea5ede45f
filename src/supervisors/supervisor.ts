import type { Finding } from '../kernel/index.ts'

export type Order = 'start' | 'stop' | 'restart'

/** A service as its supervisor tells it. */
export interface ServiceState {
  readonly up: boolean
  /** Absent where the service has no process, and for supervisors that know none. */
  readonly pid: number | undefined
  /** Another one after every start of the service. */
  readonly instance: string | undefined
  /** It is what its supervisor wants it to be, and nothing is on its way. */
  readonly settled: boolean
  /** In the supervisor's own words, for messages. */
  readonly words: string
  /** Why its supervisor has given it up; it will not come up by itself. */
  readonly failed?: string
}

/** What controls services. Each reads the state back by itself: that an order was taken is no evidence. */
export interface Supervisor {
  /** What stands in the way of an order. Throws `command-failed` when the supervisor cannot be asked. */
  findings(service: string, order: Order, signal: AbortSignal): Promise<readonly Finding[]>
  /** Throws `command-failed` when the state cannot be read. */
  read(service: string, signal: AbortSignal): Promise<ServiceState>
  /** What else is up and would be stopped with it. Throws `command-failed` when the supervisor cannot be asked. */
  stoppedWith(service: string, signal: AbortSignal): Promise<readonly string[]>
  /**
   * Gives the order without waiting for it to be carried out; returns what was answered. Throws `command-failed` when it was refused.
   *
   * @param environment of the program that gives it, by which it may be found
   */
  tell(service: string, order: Order, signal: AbortSignal, environment?: Readonly<Record<string, string>>): Promise<string>
  /** The plain commands for it. */
  manual(service: string, order: Order, withinMs: number): readonly string[]
  /** The command that shows what went wrong. */
  look(service: string): string
}
