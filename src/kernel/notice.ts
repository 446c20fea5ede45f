import { channel } from 'node:diagnostics_channel'

/**
 * Something that whoever runs a command must hear of, wherever it is noticed, and that is neither its result nor its failure: one sentence.
 * Nobody need listen.
 */
const notices = channel('holdfast.notice')

export function notice(text: string): void {
  notices.publish(text)
}

export function onNotice(listener: (text: string) => void): void {
  notices.subscribe((text) => listener(String(text)))
}
