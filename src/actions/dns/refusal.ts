import { HoldfastError, type HostPort } from '../../kernel/index.ts'
import { serverText } from './server.ts'
import { type Message, rcodeName, rcodes } from '../../dns/index.ts'
import type { TsigKey, Verified } from './tsig.ts'

/** What was asked for: for the messages. */
export interface Asked {
  readonly server: HostPort
  readonly what: string
  readonly zone: string
  readonly key: TsigKey | undefined
  readonly nowMs: number
}

/** An answer that is no success, as an error that says what to do about it. */
export function refusal(
  { server, what, zone, key, nowMs }: Asked,
  { rcode }: Message,
  { error, ...verified }: Verified,
): HoldfastError {
  const at = serverText(server)
  const name = key?.name ?? ''
  const details = { rcode: rcodeName(rcode), ...(error === 0 ? {} : { tsigError: rcodeName(error) }) }
  const refuse = (code: 'permission-denied' | 'not-found' | 'command-failed', message: string, hint: string) =>
    new HoldfastError(code, { message, hint, details, retryable: rcode === rcodes.SERVFAIL })
  switch (error) {
    case rcodes.BADKEY:
      return refuse(
        'permission-denied',
        `${at} does not know the key ${name}, or not with ${key?.algorithm}`,
        'compare the name and the algorithm with the server’s configuration; both sides must use the same',
      )
    case rcodes.BADSIG:
      return refuse(
        'permission-denied',
        `${at} has another secret for the key ${name}`,
        'compare the secret with the server’s configuration',
      )
    case rcodes.BADTIME: {
      const theirs = 'serverTimeMs' in verified ? verified.serverTimeMs : undefined
      const apart = theirs === undefined ? '' : `: they are ${Math.round(Math.abs(nowMs - theirs) / 1000)} s apart`
      return refuse('permission-denied', `the clocks of ${at} and of this machine do not agree${apart}`, 'set them by NTP')
    }
  }
  switch (rcode) {
    case rcodes.NOTAUTH:
    case rcodes.NOTZONE:
      return refuse(
        'not-found',
        `${at} is not the authority for the zone ${zone}`,
        'name the zone’s primary server, and the zone itself rather than a part of it',
      )
    case rcodes.REFUSED:
      return refuse(
        'permission-denied',
        `${at} refuses ${what}${key === undefined ? '' : ` with the key ${name}`}`,
        key === undefined
          ? 'ask from a network that it serves'
          : 'ask the zone’s primary server, and let its allow-update or update-policy permit the key',
      )
    case rcodes.SERVFAIL:
      return refuse(
        'command-failed',
        `${at} failed at ${what} (SERVFAIL)`,
        'its log says why: for updates often a folder that it cannot write its journal into',
      )
    case rcodes.NOTIMP:
      return refuse('command-failed', `${at} does not know how to do ${what}`, 'check that it supports RFC 2136')
    default:
      return refuse('command-failed', `${at} answered ${what} with ${rcodeName(rcode)}`, 'see its log')
  }
}
